// The cues that a player has heard of, and which of them are up at a date. Pure: no player, no network, no clock.
//
// All times are wall clock (program date-time) in milliseconds: media times move when a player starts anew or a
// host comes back, dates never do.

// Bound of the marks that are kept. A show has 1,200 cues an hour at most times; a window is seldom as long.
const most = 4096;

// A mark is one revision of one cue: { id, rev, kind, slot, start, end, hash }. end is null while nobody knows it;
// one that is not after start says that the revision was withdrawn.
const withdrawn = (m) => m.end !== null && m.end <= m.start;

export class Timeline {
  #marks = new Map(); // by "id.rev"

  // hear takes what a source says about a mark. It may come again, by other ways and in any order: asOf tells
  // which word on the end is the newest. A date range that has been closed is the last word (Infinity), one that
  // is open says nothing about the end (-Infinity); a message in band speaks as of its own date.
  hear({ id, rev, kind, slot, start, end = null, hash = '', asOf = -Infinity }) {
    if (!/^[\w.-]{1,64}$/.test(id) || !(rev > 0) || !Number.isFinite(start)) return;
    const key = `${id}.${rev}`;
    const known = this.#marks.get(key);
    const listed = !Number.isFinite(asOf); // by a date range
    if (known) {
      known.listed ||= listed;
      if (asOf <= known.asOf) return;
      Object.assign(known, { end, asOf });
    } else this.#marks.set(key, { id, rev, kind, slot, start, end, hash, asOf, listed });
    if (this.#marks.size > most) this.#forget();
  }

  // snapshot takes a complete list of keys that are up at a date, and ends what no date range speaks for and the
  // list has not got.
  snapshot(keys, date) {
    for (const [key, m] of this.#marks) {
      if (!m.listed && m.start < date && m.asOf < date && (m.end ?? Infinity) > date && !keys.has(key)) {
        Object.assign(m, { end: date, asOf: date });
      }
    }
  }

  // at returns the marks that are up at a date. Of one cue, the highest revision counts from its own start on; of
  // the cues in a slot, the one that began last. half is half a frame: dates are cut to milliseconds, pictures
  // come when they come.
  at(date, half = 0) {
    const cues = new Map();
    for (const m of this.#marks.values()) {
      if (m.start - half > date || withdrawn(m)) continue;
      if (!(cues.get(m.id)?.rev > m.rev)) cues.set(m.id, m);
    }
    const slots = new Map();
    for (const m of cues.values()) {
      if (!(slots.get(m.slot)?.start > m.start)) slots.set(m.slot, m);
    }
    return [...slots.values()].filter((m) => m.end === null || date < m.end - half);
  }

  // after returns the next marks, few at most, that begin within so many milliseconds after a date.
  after(date, within, few) {
    const soon = [...this.#marks.values()].filter((m) => m.start > date && m.start <= date + within && !withdrawn(m));
    return soon.sort((a, b) => a.start - b.start).slice(0, few);
  }

  // forget drops what ended first, and if nothing has ended, what began first.
  #forget() {
    const until = (m) => (m.end === null ? 1e15 : 0) + (m.end ?? m.start);
    const sorted = [...this.#marks].sort(([, a], [, b]) => until(a) - until(b));
    for (const [key] of sorted.slice(0, most / 8)) this.#marks.delete(key);
  }
}
