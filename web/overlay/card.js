// A card for product cues, to begin with: restyle it by custom properties and parts, or replace it.

import css from './card.css.js';

const words = { view: 'View', soldOut: 'Sold out', left: (n) => `Only ${n} left`, was: 'instead of' };
const fewLeft = 5;
const rightToLeft = /^(ar|arc|ckb|dv|fa|he|iw|ps|sd|ug|ur|yi)\b|-(arab|hebr)\b/i;

// web returns an address if it is one that a card may show or lead to.
const web = (address) => {
  if (!address) return null;
  try {
    const url = new URL(address, document.baseURI);
    return /^https?:$/.test(url.protocol) ? url.href : null;
  } catch { return null; }
};

// el makes an element. Texts only ever get in as text.
function el(tag, part, ...inside) {
  const e = document.createElement(tag);
  if (part) e.setAttribute('part', e.className = part);
  e.append(...inside.filter((x) => x != null && x !== ''));
  return e;
}

// money renders minor units; "" for none.
export function money(amount, currency, locale) {
  if (!Number.isFinite(amount)) return '';
  try {
    const format = new Intl.NumberFormat(locale, { style: 'currency', currency });
    return format.format(amount / 10 ** format.resolvedOptions().maximumFractionDigits);
  } catch { return `${amount / 100} ${currency ?? ''}`; }
}

// clock renders a span in milliseconds: 1:02:03.
export function clock(ms) {
  const s = Math.max(0, Math.ceil(ms / 1000));
  const two = (x) => String(x).padStart(2, '0');
  const [h, m] = [Math.floor(s / 3600), Math.floor(s / 60) % 60];
  return h ? `${h}:${two(m)}:${two(s % 60)}` : `${m}:${two(s % 60)}`;
}

// showCards puts a card for each slot's cue into host, which is hidden while there is none. Who follows a product
// dispatches a cancelable "select" on host first, with { cue, product }. It returns a function that ends it.
export function showCards(cues, host, { labels = {}, locale = cues.locale } = {}) {
  const say = { ...words, ...labels };
  const root = host.shadowRoot ?? host.attachShadow({ mode: 'open' });
  const style = new CSSStyleSheet();
  style.replaceSync(css);
  root.adoptedStyleSheets = [style];
  root.replaceChildren();
  host.dir = rightToLeft.test(locale) ? 'rtl' : 'ltr';
  const slots = new Map();
  const timers = new Map(); // element -> date

  const slot = (name) => {
    if (!slots.has(name)) {
      const e = el('section', `slot ${name}`);
      e.setAttribute('aria-live', 'polite');
      slots.set(name, e);
      root.append(e);
    }
    return slots.get(name);
  };

  const product = (cue, p) => {
    const link = web(p.url);
    const e = el(link ? 'a' : 'button', 'product');
    if (link) Object.assign(e, { href: link, target: '_blank', rel: 'noopener' });
    else e.type = 'button';
    e.onclick = (event) => {
      const detail = { cue, product: p };
      if (!host.dispatchEvent(new CustomEvent('select', { detail, cancelable: true }))) event.preventDefault();
    };
    const src = web(p.image);
    if (src) e.append(Object.assign(el('img', 'image'), { src, alt: '', decoding: 'sync', onerror() { this.remove(); } }));
    const { amount, list, currency, stock } = cues.offer(p);
    const out = stock === 0;
    const price = el('span', 'prices', el('span', 'price', money(amount, currency, locale)));
    if (list > amount) {
      const was = el('s', 'list', money(list, currency, locale));
      was.setAttribute('aria-label', `${say.was} ${was.textContent}`);
      price.append(was);
    }
    const text = el('span', 'about', el('span', 'title', p.title), p.description && el('span', 'description', p.description), price);
    for (const child of text.children) child.dir = 'auto';
    if (stock <= fewLeft) text.append(el('span', 'stock', out ? say.soldOut : say.left(stock)));
    if (link) text.append(el('span', 'button', say.view));
    e.append(text);
    e.classList.toggle('out', out);
    return e;
  };

  const fill = (cue) => {
    const { text, products = [], until } = cue.content ?? {};
    const card = el('article', `card kind-${cue.kind}`);
    card.lang = cue.content?.locale ?? locale;
    if (text) card.append(Object.assign(el('p', 'text', text), { dir: 'auto' }));
    if (Number.isFinite(Date.parse(until))) {
      const time = el('time', 'time');
      time.setAttribute('role', 'timer'); // which is not read out at every step
      timers.set(time, Date.parse(until));
      card.append(time);
    }
    card.append(...products.map((p) => product(cue, p)));
    card.classList.toggle('several', products.length > 1);
    return card.firstChild && card;
  };

  const tick = () => {
    for (const [e, until] of timers) {
      if (e.isConnected) e.textContent = clock(until - (cues.date ?? Date.now()));
      else timers.delete(e);
    }
  };

  let focused = null; // the slot whose card had the focus when it went
  const put = (name, cue) => {
    const e = slot(name);
    if (e.contains(root.activeElement)) focused = e;
    const card = cue && cue.kind !== 'hide' ? fill(cue) : null;
    e.replaceChildren(...card ? [card] : []);
    tick();
    host.hidden = ![...slots.values()].some((s) => s.firstChild);
    if (card && focused === e) card.querySelector('a, button')?.focus({ preventScroll: true });
    if (card) focused = null;
  };

  const on = {
    enter: ({ detail: { cue } }) => put(cue.slot, cue),
    update: ({ detail: { cue } }) => put(cue.slot, cue),
    exit: ({ detail: { cue } }) => put(cue.slot, null),
    facts: () => cues.active.forEach((cue) => put(cue.slot, cue)),
    content: ({ detail: { content } }) => content?.products?.slice(0, 4).forEach((p) => { if (web(p.image)) new Image().src = web(p.image); }),
  };
  const timer = setInterval(tick, 250);
  for (const type in on) cues.addEventListener(type, on[type]);
  host.hidden = true;
  cues.active.forEach((cue) => put(cue.slot, cue));
  return () => {
    clearInterval(timer);
    for (const type in on) cues.removeEventListener(type, on[type]);
    root.replaceChildren();
    host.hidden = true;
  };
}
