// Product cues in a player: says which cues are up at the frame that is on the screen.
//
// What is up is worked out anew for every frame, from the frame's date and all that has been heard. So it makes no
// difference how a viewer came to a frame: by playing, joining late, seeking, or after a pause.

import { Board } from './board.js';
import { Documents } from './documents.js';
import { source } from './sources.js';
import { Timeline } from './timeline.js';

export { straighten } from './shaka.js';

const tickMs = 250;
const aheadMs = 60_000; // contents are fetched for cues that begin within this
const aheadMost = 32; // of them

// attach listens to a player's show. See index.d.ts for the options.
export const attach = (video, options) => new Cues(video, options);

class Cues extends EventTarget {
  #up = new Map(); // slot -> cue that has been entered
  #half = 1 / 60; // half a frame, in seconds
  #time = null; // media time of the frame on the screen
  #frames = []; // durations of the last ones

  constructor(video, { player = null, url, locale = 'en', currency, market, facts = 'auto', fetch = globalThis.fetch } = {}) {
    super();
    const address = url ?? player?.url ?? player?.getAssetUri?.() ?? video.currentSrc;
    if (!address) throw new TypeError('attach: say the url of the playlist, or load it before');
    const base = new URL(address, globalThis.location?.href);
    const get = (...args) => fetch.call(globalThis, ...args);
    try {
      [locale] = Intl.getCanonicalLocales(locale); // one spelling, so that caches have one document
    } catch { locale = 'en'; }
    Object.assign(this, { video, locale, currency, market });
    this.timeline = new Timeline();
    this.documents = new Documents(base, locale, (mark) => {
      this.#emit('content', { id: mark.id, rev: mark.rev, content: this.documents.get(mark) ?? null });
      this.#show();
    }, get);
    this.source = source(video, player, this.timeline);
    this.openBoard = () => {
      this.board ??= new Board(base, facts, {
        fetch: get,
        changed: () => this.#emit('facts', {}),
        needed: () => this.busy,
        listed: (entries) => this.source.listed?.(entries),
      });
    };
    this.timer = setInterval(() => this.#tick(), tickMs);
    this.#follow();
  }

  // active lists the cues that are up, in the order of their starts.
  get active() { return [...this.#up.values()].sort((a, b) => a.start - b.start); }

  // date is the program date-time of the frame on the screen, in ms; null before the first.
  get date() { return this.#time === null ? null : this.source.dateAt(this.#time); }

  // offer returns { amount, list, currency, stock } of a product, in minor units, for the viewer's market and
  // currency or what comes nearest, with the newest facts; amount is undefined if it has no price.
  offer(product) {
    const fact = this.board?.fact(product.id) ?? {};
    const prices = { ...product.prices, ...fact.prices };
    const { market, currency } = this;
    const keys = Object.keys(prices);
    const key = [`${market}-${currency}`, currency].find((k) => prices[k]) ?? keys.find((k) => k.startsWith(`${market}-`)) ?? keys[0];
    return { ...prices[key], currency: key?.split('-').pop(), stock: fact.stock ?? product.stock };
  }

  // detach ends all that is up, and lets go of player, video and network.
  detach() {
    this.stopped = true;
    clearInterval(this.timer);
    this.video.cancelVideoFrameCallback?.(this.request);
    this.source.stop();
    this.documents.stop();
    this.board?.stop();
    for (const cue of this.#clear()) this.#emit('exit', { cue, time: this.#time });
  }

  #clear() {
    const cues = this.active;
    this.#up.clear();
    return cues;
  }

  // follow hears of every frame that is shown.
  #follow() {
    const { video } = this;
    if (video.requestVideoFrameCallback) {
      const frame = (_, { mediaTime }) => {
        if (this.stopped) return;
        this.request = video.requestVideoFrameCallback(frame);
        this.#measure(mediaTime);
        this.#show(mediaTime);
      };
      this.request = video.requestVideoFrameCallback(frame);
    } else if (globalThis.requestAnimationFrame) {
      const paint = () => {
        if (this.stopped) return;
        requestAnimationFrame(paint);
        if (video.readyState > 1) this.#show(video.currentTime);
      };
      requestAnimationFrame(paint);
    }
  }

  // measure learns how long a frame lasts: as long as the shortest of the last ones. Others were left out.
  #measure(time) {
    const duration = time - this.#time;
    if (!(duration > 0.004 && duration < 0.2)) return;
    this.#frames.push(duration);
    if (this.#frames.length > 30) this.#frames.shift();
    this.#half = Math.min(0.02, Math.min(...this.#frames) / 2);
  }

  // tick sees to what needs no frame: sound without a picture, a page that is not looked at, contents.
  #tick() {
    const { video } = this;
    const unseen = !video.videoWidth || globalThis.document?.hidden;
    this.#show(unseen && video.readyState > 1 ? video.currentTime : this.#time);
    if (this.#time === null && video.readyState < 2) return; // it is not where it is going to play
    const date = this.source.dateAt(this.#time ?? video.currentTime);
    if (date === null) return;
    const next = this.timeline.after(date, aheadMs, aheadMost);
    this.busy = next.length || this.#up.size || this.source.listed;
    if (this.busy) this.openBoard();
    for (const mark of next) {
      // Whoever has time leaves room for others: all viewers hear of a cue at once.
      const lead = mark.start - date;
      this.documents.want(mark, lead < 2000 ? 0 : Math.random() * Math.min(lead / 2, 3000));
    }
  }

  // show enters, updates and exits what the frame at a media time asks for.
  #show(time = this.#time) {
    const date = time === null || this.stopped ? null : this.source.dateAt(time);
    if (date === null) return;
    this.#time = time;
    const next = new Map();
    for (const mark of this.timeline.at(date, this.#half * 1000)) {
      const before = this.#up.get(mark.slot);
      const content = this.documents.get(mark);
      if (content === undefined) {
        this.documents.want(mark);
        if (before?.id === mark.id) next.set(mark.slot, before); // until the new revision is here
      } else if (before?.id === mark.id && before.rev === mark.rev && before.content === content) {
        next.set(mark.slot, Object.assign(before, { end: mark.end }));
      } else {
        const { id, rev, kind, slot, start, end, hash } = mark;
        next.set(slot, { id, rev, kind, slot, start, end, hash, content });
      }
    }
    const before = this.#up;
    this.#up = next;
    for (const [slot, cue] of before) if (next.get(slot)?.id !== cue.id) this.#emit('exit', { cue, time });
    for (const [slot, cue] of next) {
      const previous = before.get(slot);
      if (previous?.id !== cue.id) this.#emit('enter', { cue, time });
      else if (previous !== cue) this.#emit('update', { cue, previous, time });
    }
  }

  #emit(type, detail) { this.dispatchEvent(Object.assign(new Event(type), { detail })); }
}
