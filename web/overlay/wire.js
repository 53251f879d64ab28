// What a show says about its cues: date ranges in the playlist, and ID3 messages in band.

export const scheme = 'org.pushcart.cue'; // the CLASS of date ranges, the description of ID3 texts

const number = (s) => (s == null || s === '' ? NaN : Number(s));

// readRange makes a mark of a date range's attributes, without their quotes; null if it is none of ours. The
// revision follows the last dot of the ID.
export function readRange(attr) {
  if (attr.CLASS !== scheme || !attr.ID) return null;
  const dot = attr.ID.lastIndexOf('.');
  const start = Date.parse(attr['START-DATE']);
  const duration = number(attr.DURATION);
  return {
    id: attr.ID.slice(0, dot),
    rev: Number(attr.ID.slice(dot + 1)),
    kind: attr['X-ORG-PUSHCART-KIND'],
    slot: attr['X-ORG-PUSHCART-SLOT'] ?? 'main',
    hash: attr['X-ORG-PUSHCART-H'],
    start,
    end: duration >= 0 ? start + Math.round(duration * 1000) : null,
    asOf: duration >= 0 ? Infinity : -Infinity,
  };
}

// ranges reads all date ranges out of a playlist's text.
export function ranges(playlist) {
  return [...playlist.matchAll(/^#EXT-X-DATERANGE:(.*)/gm)].map(([, list]) => {
    const attr = {};
    for (const [, name, value] of list.matchAll(/([A-Z0-9-]+)=("[^"]*"|[^,\r]*)/g)) attr[name] = value.replace(/"/g, '');
    return attr;
  });
}

// texts returns the TXXX frames of an ID3v2.4 tag that are ours.
export function texts(tag) {
  const found = [];
  const size = (at) => tag[at] << 21 | tag[at + 1] << 14 | tag[at + 2] << 7 | tag[at + 3]; // syncsafe
  const text = (from, to) => new TextDecoder().decode(tag.subarray(from, to));
  if (text(0, 3) !== 'ID3') return found;
  const end = Math.min(tag.length, 10 + size(6));
  for (let at = 10; at + 10 < end && tag[at];) {
    const next = at + 10 + size(at + 4);
    const [description, value] = text(at + 11, Math.min(next, end)).split('\0');
    if (text(at, at + 4) === 'TXXX' && description === scheme && value) found.push(value);
    at = next;
  }
  return found;
}

// Reader understands the messages in band. A snapshot too long for one message comes in several.
export class Reader {
  #parts = new Map();

  constructor(timeline) { this.timeline = timeline; }

  // read returns the date of the message's frame, or null if it does not say: the message of a cue that was posted
  // late comes after its start.
  read(json) {
    try { return this.#take(JSON.parse(json)); } catch { return null; }
  }

  #take(m) {
    if (m.op === 'cue') {
      this.timeline.hear({ ...m, hash: m.h, asOf: m.start });
      return null;
    }
    if (m.op !== 'state') return null;
    for (const [id, rev, kind, slot, start, end, hash] of m.cues) this.timeline.hear({ id, rev, kind, slot, start, end, hash, asOf: m.at });
    if (this.#parts.at !== m.at) this.#parts = Object.assign(new Map(), { at: m.at });
    this.#parts.set(m.n, m.cues);
    if (this.#parts.size >= (m.of ?? 1)) {
      this.timeline.snapshot(new Set([...this.#parts.values()].flat().map(([id, rev]) => `${id}.${rev}`)), m.at);
    }
    return m.at;
  }
}
