// Renditions (renditions.js) in hls.js: what joins the show is taken into the running player, which goes on.
//
// hls.js 1.7 has no call that adds a level or an audio track. What is done here uses its public lists and events only: a second
// instance without a picture reads the new list, so that hls.js's own code says what is in it, what the browser can play and in
// which order, and the running instance is given the entries that it lacks, as Content Steering gives it those of another pathway.

import { keyOf, plain, Renditions } from './renditions.js';

const readWithinMs = 10_000;

// followHls follows the renditions of what hls plays. Hls is its class.
export function followHls(hls, Hls, options) {
  const { Events } = Hls;
  let stop = () => {};
  return new Renditions({
    address: () => hls.url ?? '',
    listen(hear) {
      const updated = (_, { details }) => {
        const reports = (details.renditionReports ?? []).map((r) => plain(r.URI, details.url));
        hear([plain(details.url), ...reports]);
      };
      // Sound tells the same as the picture does; one of them is enough where there are both.
      hls.on(Events.LEVEL_UPDATED, updated);
      stop = () => hls.off(Events.LEVEL_UPDATED, updated);
    },
    admit: (list) => admit(hls, Hls, list),
    select: (voice) => select(hls, Events, voice),
    playing() {
      const track = hls.audioTracks[hls.audioTrack];
      return track ? keyOf({ language: track.lang, name: track.name }) : '';
    },
    stop: () => stop(),
  }, options);
}

// admit gives hls the levels and audio tracks of the list that it lacks, and takes levels that have left.
async function admit(hls, Hls, list) {
  if (hasAll(hls, list)) return true;
  const read = await readAgain(hls, Hls);
  if (!hls.levels?.length) return false; // destroyed, or on its way to another source
  const levels = read.levels.map((level) => hls.levels.find((own) => alike(own, level)) ?? level);
  // A show without sound plays by other rules than one with it.
  const sound = (level) => Boolean(level.audioGroups?.length);
  if (levels.some((level) => sound(level) !== sound(hls.levels[0]))) return false;
  // Nobody chooses them before their group is that of the level: hls.js looks the tracks of a group up here when it changes.
  const tracks = hls.allAudioTracks;
  for (const track of read.audioTracks) {
    if (!tracks.some((own) => own.groupId === track.groupId && own.url === track.url)) tracks.push(track);
  }
  relevel(hls, Hls.Events, levels);
  return true;
}

const hasAll = (hls, list) => {
  const levels = new Set(hls.levels.map((level) => plain(level.uri)));
  const tracks = new Set(hls.allAudioTracks.map((track) => plain(track.url)));
  return list.pictures.length === hls.levels.length && list.pictures.every((p) => levels.has(p.address)) &&
    list.voices.every((v) => Object.values(v.groups).every((address) => tracks.has(address)));
};

// alike compares levels of two readings. BANDWIDTH is measured, and changes.
const alike = (a, b) => a.uri === b.uri && a.attrs.CODECS === b.attrs.CODECS;

// readAgain has hls.js read the multivariant playlist as if for the first time.
function readAgain(hls, Hls) {
  const reader = new Hls({ ...hls.userConfig, autoStartLoad: false, debug: false });
  return new Promise((done, failed) => {
    reader.on(Hls.Events.MANIFEST_PARSED, (_, { levels, audioTracks }) => done({ levels: [...levels], audioTracks: [...audioTracks] }));
    reader.on(Hls.Events.ERROR, (_, { fatal, details }) => fatal && failed(new Error(details)));
    setTimeout(() => failed(new Error('timeout')), readWithinMs);
    reader.loadSource(hls.url);
  }).finally(() => reader.destroy());
}

// relevel replaces the levels of hls, in order, without a change of the one that plays. That one stays in the list until
// another one plays.
export function relevel(hls, Events, listed) {
  const playing = hls.levels[hls.loadLevel];
  const levels = [...listed];
  if (playing && !levels.includes(playing)) {
    const larger = levels.findIndex((l) => l.height > playing.height || l.height === playing.height && l.bitrate > playing.bitrate);
    levels.splice(larger < 0 ? levels.length : larger, 0, playing);
  }
  if (levels.length === hls.levels.length && levels.every((level, i) => level === hls.levels[i])) return;
  const manual = !hls.autoLevelEnabled;
  // Fragments say by number which level they are of.
  levels.forEach(({ details }, i) => {
    const fragments = details ? [...details.fragments, details.fragmentHint, ...(details.partList ?? []).map((p) => p.fragment)] : [];
    for (const f of fragments) {
      if (!f) continue;
      f.level = i;
      if (f.initSegment) f.initSegment.level = i;
    }
  });
  hls.trigger(Events.LEVELS_UPDATED, { levels });
  const now = levels.indexOf(playing);
  if (now < 0 || now === hls.loadLevel) return;
  if (manual) hls.loadLevel = now;
  else hls.nextLoadLevel = now; // it is the same level, which is only read once more
}

// select has hls play a voice.
function select(hls, Events, { language, name }) {
  const is = (track) => (track.lang ?? '') === language && track.name === name;
  const present = hls.audioTracks;
  if (!present.some(is)) {
    const groups = new Set(present.map((track) => track.groupId));
    const track = hls.allAudioTracks.find((t) => is(t) && groups.has(t.groupId));
    if (track) {
      track.id = present.length;
      present.push(track);
      hls.trigger(Events.AUDIO_TRACKS_UPDATED, { audioTracks: present });
    }
  }
  const track = present.find(is) ?? hls.allAudioTracks.find(is);
  return Boolean(track && hls.setAudioOption(track));
}
