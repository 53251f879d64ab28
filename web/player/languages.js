// The choice of a voice: a button that is there when there is a choice, its menu, and a word to those whose language has joined.

const offerMs = 12_000;

const inWords = {
  ar: 'استمع بالعربية', de: 'Auf Deutsch hören', en: 'Listen in English', es: 'Escuchar en español', fr: 'Écouter en français',
  it: 'Ascolta in italiano', ja: '日本語で聞く', ko: '한국어로 듣기', pt: 'Ouvir em português', zh: '收听中文',
};

// offerOf asks in a voice's own language whether one wants to hear it.
export const offerOf = ({ language, name }) => inWords[baseOf(language)] ?? (name || language);

const baseOf = (tag) => tag.toLowerCase().split('-')[0];

// speaks reports whether somebody with these locales understands a language, such as fr-CA of somebody who reads fr.
export function speaks(locales, language) {
  return Boolean(language) && locales.some((l) => baseOf(l) === baseOf(language));
}

// newcomers returns the voices that were not there before, in one of the locales.
export function newcomers(before, voices, locales) {
  const known = new Set(before.map((v) => v.key));
  return voices.filter((v) => !known.has(v.key) && !v.original && speaks(locales, v.language));
}

export class Languages {
  // button, menu and offer are elements; locales are the viewer's; choose(voice) is called when the viewer has chosen.
  constructor({ button, tag, menu, offer, locales, choose }) {
    Object.assign(this, { button, tag, menu, offer, locales, choose, voices: null, now: '' });
    button.addEventListener('click', () => this.open(menu.hidden));
    menu.addEventListener('keydown', (e) => this.key(e));
    offer.addEventListener('click', () => {
      this.quiet();
      this.choose(this.offered);
    });
    document.addEventListener('pointerdown', (e) => {
      if (!menu.contains(e.target) && !button.contains(e.target)) this.open(false);
    });
  }

  // show takes the voices that there are, and the key of the one that plays.
  show(voices, now) {
    const joined = this.voices && newcomers(this.voices, voices, this.locales).find((v) => v.key !== now);
    this.voices = voices;
    this.now = now;
    const choice = voices.length > 1;
    this.button.parentElement.hidden = !choice;
    if (!choice) this.open(false);
    this.tag.textContent = voices.find((v) => v.key === now && !v.original)?.language.split('-')[0] ?? '';
    const focused = [...this.menu.children].findIndex((e) => e === document.activeElement);
    this.menu.replaceChildren(...voices.map((voice) => this.item(voice)));
    if (focused >= 0) this.menu.children[Math.min(focused, voices.length - 1)]?.focus();
    if (joined) this.announce(joined);
    else if (this.offered && !voices.some((v) => v.key === this.offered.key)) this.quiet();
  }

  // forget is for a player that has gone.
  forget() {
    this.open(false);
    this.quiet();
    this.button.parentElement.hidden = true;
  }

  item(voice) {
    const item = document.createElement('button');
    item.type = 'button';
    item.role = 'menuitemradio';
    item.ariaChecked = String(voice.key === this.now);
    item.lang = voice.language;
    item.textContent = voice.name || voice.language;
    item.tabIndex = -1;
    item.addEventListener('click', () => {
      this.open(false);
      this.quiet();
      this.button.focus();
      this.choose(voice);
    });
    return item;
  }

  open(open) {
    if (open === !this.menu.hidden) return;
    this.menu.hidden = !open;
    this.button.setAttribute('aria-expanded', String(open));
    if (open) (this.menu.querySelector('[aria-checked=true]') ?? this.menu.firstElementChild)?.focus();
  }

  key(e) {
    const items = [...this.menu.children];
    const at = items.indexOf(document.activeElement);
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: -1 }[e.key];
    if (to !== undefined) items.at(to % items.length).focus();
    else if (e.key === 'Escape') {
      this.open(false);
      this.button.focus();
    } else if (e.key === 'Tab') return this.open(false);
    else return;
    e.preventDefault();
    e.stopPropagation();
  }

  announce(voice) {
    this.offered = voice;
    this.offer.querySelector('span').textContent = offerOf(voice);
    this.offer.lang = voice.language;
    this.offer.hidden = false;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.quiet(), offerMs);
  }

  quiet() {
    clearTimeout(this.timer);
    this.offer.hidden = true;
    this.offered = null;
  }
}
