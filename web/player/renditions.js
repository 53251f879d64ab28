// What a show is offered in, kept current while it plays, and a way for the viewer to choose a voice. A module of its own,
// for any page: renditions-hls.js and renditions-shaka.js join it to those players.
//
// Players read the multivariant playlist once. An interpreter who joins later, or a size of the picture, is not in it. But every
// media playlist reports on all renditions (EXT-X-RENDITION-REPORT), so what players read anyway tells when the list has
// changed, and only then it is read again: nobody polls.
//
//   const renditions = followHls(hls, Hls);                 // or followShaka(player), before player.load
//   renditions.addEventListener('change', () => draw(renditions.voices, renditions.voice));
//   renditions.choose(renditions.voices[1]);                // false: the player has to be started anew for it

// The pause before the list is read again: viewers learn of a change in the same moment, and need not all ask in it. A CDN may also
// have an old list for as long as its max-age. What changes nothing is tried again less and less often.
const spreadMs = 1500;
const pauseMs = { least: 2500, most: 60_000 };
const readWithinMs = 8000;
const most = 256; // renditions in a list that are believed

// attributes reads an attribute list (rfc8216bis 4.2).
export function attributes(line) {
  const found = {};
  for (const [, name, quoted, plain] of line.matchAll(/([A-Z0-9-]+)=(?:"([^"]*)"|([^,]*))/g)) found[name] = quoted ?? plain;
  return found;
}

// plain is an address without directives, which differ from request to request.
export const plain = (address, base) => {
  const url = new URL(address, base);
  return url.origin + url.pathname;
};

// keyOf names a voice, whatever its groups and addresses are.
export const keyOf = ({ language = '', name = '' }) => `${language}|${name}`;

// readList reads a multivariant playlist that came from url:
//
//   voices    [{ key, name, language, original, groups: { GROUP-ID: address } }], in their order; original is the DEFAULT one
//   pictures  [{ address, group }], group is the audio group's
//   addresses a Set of the addresses of all media playlists
export function readList(text, url) {
  const voices = new Map();
  const pictures = [];
  const addresses = new Set();
  let variant = null;
  for (const line of text.split(/\r?\n/)) {
    if (addresses.size >= most) break;
    if (line.startsWith('#EXT-X-MEDIA:')) {
      const a = attributes(line);
      if (a.TYPE !== 'AUDIO' || !a.URI) continue;
      const voice = { name: a.NAME ?? '', language: a.LANGUAGE ?? '', original: a.DEFAULT === 'YES', groups: {} };
      voice.key = keyOf(voice);
      if (!voices.has(voice.key)) voices.set(voice.key, voice);
      const address = plain(a.URI, url);
      voices.get(voice.key).groups[a['GROUP-ID']] = address;
      addresses.add(address);
    } else if (line.startsWith('#EXT-X-STREAM-INF:')) variant = attributes(line);
    else if (variant && line && !line.startsWith('#')) {
      const address = plain(line.trim(), url);
      pictures.push({ address, group: variant.AUDIO ?? '' });
      addresses.add(address);
      variant = null;
    }
  }
  return { voices: [...voices.values()], pictures, addresses };
}

// reported returns the addresses that a media playlist from url reports on, its own among them.
export function reported(text, url) {
  const addresses = [plain(url)];
  for (const [, list] of text.matchAll(/^#EXT-X-RENDITION-REPORT:(.*)$/gm)) {
    const { URI } = attributes(list);
    if (URI) addresses.push(plain(URI, url));
  }
  return addresses;
}

const same = (a, b) => a.size === b.size && [...a].every((x) => b.has(x));

// Renditions fires 'change' when voices, voice or missing have changed.
export class Renditions extends EventTarget {
  // player is an adapter:
  //   address()      of the multivariant playlist; '' if it is not known yet
  //   listen(hear)   has it call hear(addresses) with what each media playlist reports on
  //   admit(list)    takes what is new in a list into the player, as far as that costs the viewer nothing; resolves to whether
  //                  the player has all of it now
  //   select(voice)  has the player play a voice; false if it can't without a new start
  //   playing()      the key of the voice that plays; '' if that is not known
  //   stop()
  // The rest is there for tests.
  constructor(player, { fetch = globalThis.fetch.bind(globalThis), hidden = () => document.hidden, random = Math.random,
    later = (f, ms) => setTimeout(f, ms), now = () => performance.now() } = {}) {
    super();
    Object.assign(this, { player, fetch, hidden, random, later, now });
    this.voices = []; // as readList has them
    this.missing = false; // whether there is something that only a new start of the player brings
    this.list = null;
    this.pause = pauseMs.least;
    this.notBefore = 0;
    this.asking = false;
    this.over = false;
    player.listen((addresses) => this.hear(new Set(addresses)));
  }

  // voice is the key of the voice that plays, '' if that is not known.
  get voice() {
    return this.player.playing();
  }

  // choose has the player play one of voices. It returns false if that takes a new start of the player.
  choose(voice) {
    const done = this.player.select(voice);
    if (done) this.changed();
    return done;
  }

  // hear compares what a media playlist reports on with the list.
  hear(addresses) {
    if (this.over || this.asking || this.list && same(addresses, this.list.addresses)) return;
    if (!this.player.address() || this.hidden() && this.list || this.now() < this.notBefore) return;
    this.asking = true;
    this.later(() => this.ask(), this.list ? spreadMs * this.random() : 0);
  }

  async ask() {
    const url = this.player.address();
    const before = this.list;
    try {
      const answer = await this.fetch(url, { cache: 'no-cache', signal: AbortSignal.timeout(readWithinMs) });
      if (answer.ok && !this.over) await this.take(readList(await answer.text(), answer.url || url));
    } catch {
      // The next playlist says again that something is new.
    }
    this.asking = false;
    const news = this.list && !(before && same(before.addresses, this.list.addresses));
    this.pause = news ? pauseMs.least : Math.min(2 * this.pause, pauseMs.most);
    this.notBefore = this.now() + this.pause;
  }

  async take(list) {
    if (!list.addresses.size) return;
    const missing = !await this.player.admit(list);
    if (this.over) return;
    this.list = list;
    this.voices = list.voices;
    this.missing = missing;
    // Who listens to an interpreter who has gone for good would hear nothing any more.
    const original = this.voices.find((v) => v.original);
    if (original && this.voice && !this.voices.some((v) => v.key === this.voice)) this.player.select(original);
    this.changed();
  }

  changed() {
    if (!this.over) this.dispatchEvent(new Event('change'));
  }

  // stop lets go of the player.
  stop() {
    this.over = true;
    this.player.stop();
  }
}
