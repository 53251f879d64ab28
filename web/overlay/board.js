// What the show's server says apart from the picture: prices and stock between revisions, which hold now, whatever
// picture is on; and the list of cues, for players that hear little of them. Told as server-sent events, or asked
// for from time to time.

const pollMs = 5000;

export class Board {
  #facts = new Map(); // product id -> { stock, prices }

  // mode is 'events', 'poll', 'off', or 'auto': events where they do not take one of the few connections that
  // HTTP/1.1 has. changed is called when facts have changed, listed(entries) with what is heard of the list. Asked
  // is only while needed() says so.
  constructor(base, mode, { changed, listed, needed, fetch }) {
    Object.assign(this, { base, changed, listed, needed, fetch });
    if (mode === 'auto') mode = base.protocol === 'https:' ? 'events' : 'poll';
    if (mode === 'events' && globalThis.EventSource) this.#listen();
    else if (mode !== 'off') this.#poll();
  }

  // fact returns what is known of a product, {} if nothing is.
  fact(product) { return this.#facts.get(product) ?? {}; }

  #listen() {
    const events = this.events = new EventSource(new URL('cues/events', this.base));
    // One after the other: what is told while the list is on its way may be newer than that.
    let turn = Promise.resolve();
    const on = (type, f) => events.addEventListener(type, ({ data }) => {
      turn = turn.then(() => f(JSON.parse(data))).catch(() => {}); // the next one may be better
    });
    on('sync', ({ cues }) => this.#ask(cues));
    on('facts', (facts) => this.take({ facts }));
    on('cue', (entry) => this.listed([entry]));
    on('end', () => events.close());
    events.onerror = () => {
      if (events.readyState === 2) this.#poll(); // else it comes back by itself
    };
  }

  #poll() {
    this.timer = setTimeout(() => this.#poll(), pollMs * (0.8 + 0.4 * Math.random()));
    if (this.needed()) this.#ask();
  }

  async #ask(list = 'cues.json') {
    try {
      const answer = await this.fetch(new URL(list, this.base));
      if (answer.ok && !this.stopped) this.take(await answer.json());
    } catch { /* asked again soon */ }
  }

  // take adds what is said of products, { id: { stock, prices } or null }, and of cues.
  take({ facts = {}, cues = [] }) {
    let news = false;
    for (const [id, fact] of Object.entries(facts)) {
      if (JSON.stringify(this.#facts.get(id) ?? null) === JSON.stringify(fact)) continue;
      if (fact) this.#facts.set(id, fact);
      else this.#facts.delete(id);
      news = true;
    }
    this.listed(cues);
    if (news) this.changed();
  }

  stop() {
    this.stopped = true;
    this.events?.close();
    clearTimeout(this.timer);
  }
}
