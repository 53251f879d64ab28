// Renditions (renditions.js) in Shaka Player.
//
// Shaka 5.2 keeps what it has read at the start: there is no way to give it a rendition that was not in the list. So the list that it
// reads gets some voices more, for which there is nothing yet. When the viewer chooses a voice that has joined, Shaka is told to play
// the next of these, and its requests go to that voice's playlist. Sizes of the picture can't be kept ready like that, as Shaka
// changes to them by itself: they wait for a new start of the player.

import { keyOf, readList, Renditions, reported } from './renditions.js';

const manifest = 0; // RequestType.MANIFEST
const spares = 4; // each is one more combination of picture and sound for each size
const spareName = (n) => `pushcart-spare-${n}`;
const keepSeconds = 0.6; // of what is buffered of the voice before, so that the new one has time to come
const spareIn = /pushcart-spare-(\d+)/;

// followShaka follows the renditions of what player plays. To have voices that join without a break, it is called before
// player.load. A page that lists player.getAudioTracks() should list voices instead: the spare ones are among the former.
export function followShaka(player, options) {
  const net = player.getNetworkingEngine();
  const fresh = !player.getAssetUri();
  const filled = []; // by number: the voice that a spare one stands for
  let first = null; // what Shaka has read
  let heard = () => {};

  const ask = (type, request) => {
    if (type !== manifest) return;
    request.uris = request.uris.map((uri) => {
      const voice = filled[spareIn.exec(uri)?.[1]];
      if (!voice) return uri;
      const target = new URL(Object.values(voice.groups)[0]);
      target.search = new URL(uri).search;
      return target.href;
    });
  };
  const answer = (type, response) => {
    if (type !== manifest) return;
    const text = new TextDecoder().decode(response.data);
    if (!text.includes('#EXT-X-STREAM-INF')) return void heard(reported(text, response.uri));
    first = readList(text, response.uri);
    if (fresh) response.data = new TextEncoder().encode(withSpares(text)).buffer;
  };
  net.registerRequestFilter(ask);
  net.registerResponseFilter(answer);
  const find = ({ language, name }) => player.getAudioTracks().find((t) => tagOf(t) === language && (t.label ?? '') === name);
  const tracks = () => player.getAudioTracks();

  return new Renditions({
    address: () => player.getAssetUri() ?? '',
    listen(hear) { heard = hear; },
    async admit(list) {
      if (!first) return false;
      const groups = new Set(first.voices.flatMap((v) => Object.keys(v.groups)));
      const known = new Set(first.voices.map((v) => v.key));
      const news = list.voices.filter((v) => !known.has(v.key) && !filled.some((f) => f.key === v.key));
      return list.pictures.every((p) => first.addresses.has(p.address)) && filled.length + news.length <= spares &&
        news.every((v) => Object.keys(v.groups).some((g) => groups.has(g)));
    },
    select(voice) {
      let track = find(voice);
      if (!track && fresh) {
        let n = filled.findIndex((f) => f.key === voice.key);
        if (n < 0) n = filled.length;
        track = tracks().find((t) => t.label === spareName(n));
        if (track) filled[n] = voice;
      }
      if (track) player.selectAudioTrack(track, keepSeconds);
      return Boolean(track);
    },
    playing() {
      const track = tracks().find((t) => t.active);
      if (!track) return '';
      return filled[spareIn.exec(track.label ?? '')?.[1]]?.key ?? keyOf({ language: tagOf(track), name: track.label ?? '' });
    },
    stop() {
      net.unregisterRequestFilter(ask);
      net.unregisterResponseFilter(answer);
    },
  }, options);
}

// Shaka says "und" where a playlist names no language.
const tagOf = ({ language, originalLanguage }) => originalLanguage ?? (language === 'und' ? '' : language);

// withSpares adds the spare voices to each group of voices, with the attributes of its first member.
export function withSpares(text) {
  const groups = new Set();
  return text.split('\n').map((line) => {
    const [, group] = /^#EXT-X-MEDIA:.*GROUP-ID="([^"]*)"/.exec(line) ?? [];
    if (!line.startsWith('#EXT-X-MEDIA:TYPE=AUDIO') || groups.has(group)) return line;
    groups.add(group);
    const channels = /,CHANNELS="[^"]*"/.exec(line)?.[0] ?? '';
    const added = Array.from({ length: spares }, (_, n) =>
      `#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="${group}",NAME="${spareName(n)}",LANGUAGE="qtz",DEFAULT=NO,AUTOSELECT=NO${channels},URI="${spareName(n)}.m3u8"`);
    return [line, ...added].join('\n');
  }).join('\n');
}
