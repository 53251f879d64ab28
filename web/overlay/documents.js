// The cues' contents: fetched once each, when they are going to be needed, and kept within a bound.

const most = 64; // documents; a cue's is 64 KiB at most
const triesMost = 4;
const withinMs = 8000; // for one answer
const firstPauseMs = 300; // before it is tried again; then longer
const againMs = 30_000; // after all tries, until whoever wants it may try anew

// choose picks a text of { locale: text } by a locale: its own, its language's, English, the one without a
// language, any. A plain string is chosen already.
export function choose(texts, locale = '') {
  if (texts === null || typeof texts !== 'object') return texts ?? '';
  const lower = Object.fromEntries(Object.entries(texts).map(([k, v]) => [k.toLowerCase(), v]));
  const tags = locale.toLowerCase().split('-');
  for (let n = tags.length; n > 0; n--) {
    const text = lower[tags.slice(0, n).join('-')];
    if (text !== undefined) return text;
  }
  return lower.en ?? lower.und ?? Object.values(lower)[0] ?? '';
}

// localise makes one locale's document of that with all of them.
export function localise(content, locale) {
  const product = (p) => ({ ...p, title: choose(p.title, locale), description: choose(p.description, locale) });
  return { ...content, locale: content.locale ?? locale, text: choose(content.text, locale), products: content.products?.map(product) };
}

export class Documents {
  #known = new Map(); // key -> document, null (there is none), or undefined (on its way); least recently used first
  #waiting = new Map(); // key -> what ends the wait before the first try
  #stop = new AbortController();

  // arrived(mark) is called when a document, or its failure, has come.
  constructor(base, locale, arrived, fetch) {
    Object.assign(this, { base, locale, arrived, fetch });
  }

  // get returns a mark's document, null if it can't be had, undefined if it is not here yet.
  get({ id, rev }) {
    const key = `${id}/${rev}`;
    const found = this.#known.get(key);
    if (this.#known.delete(key)) this.#known.set(key, found);
    return found;
  }

  // want fetches a mark's document after a delay, at once if it is wanted again without one, and not if that has
  // been done.
  async want(mark, delayMs = 0) {
    const key = `${mark.id}/${mark.rev}`;
    if (!delayMs) this.#waiting.get(key)?.();
    if (this.#known.has(key)) return;
    this.#known.set(key, undefined);
    if (this.#known.size > most) this.#known.delete(this.#known.keys().next().value);
    await this.#pause(delayMs, key);
    this.#waiting.delete(key);
    let found = null;
    for (let n = 0; n < triesMost && !found && !this.#stop.signal.aborted; n++) {
      if (n > 0) await this.#pause(firstPauseMs * 3 ** (n - 1) * (1 + Math.random()));
      // A locale that the server does not know may still be in the document that has all of them.
      found = await this.#read(`${key}/${this.locale}`) || await this.#read(key);
    }
    if (this.#stop.signal.aborted) return;
    this.#known.delete(key);
    this.#known.set(key, found);
    this.arrived(mark);
    if (found) return;
    await this.#pause(againMs);
    this.#known.delete(key);
  }

  async #read(path) {
    const one = new AbortController();
    const abort = () => one.abort();
    const timer = setTimeout(abort, withinMs);
    this.#stop.signal.addEventListener('abort', abort);
    try {
      const answer = await this.fetch(new URL(`cues/${path}.json`, this.base), { signal: one.signal });
      if (answer.ok) return localise(await answer.json(), this.locale);
    } catch { /* as good as no answer */ } finally {
      clearTimeout(timer);
      this.#stop.signal.removeEventListener('abort', abort);
    }
    return null;
  }

  // pause lasts so long, or until somebody ends the wait under a key, or all is over.
  #pause(ms, key) {
    const { signal } = this.#stop;
    if (!(ms > 0) || signal.aborted) return null;
    return new Promise((go) => {
      const end = () => {
        clearTimeout(timer);
        signal.removeEventListener('abort', end);
        go();
      };
      const timer = setTimeout(end, ms);
      signal.addEventListener('abort', end);
      if (key) this.#waiting.set(key, end);
    });
  }

  stop() { this.#stop.abort(); }
}
