// Where players keep what they hear, and how each maps a media time to a date. A source is
//
//   dateAt(t)        program date-time in ms of the frame at media time t, or null if unknown
//   stop()
//   listed(entries)  only where the player's own hearing is poor: takes entries of the server's list
//
// and puts what it hears into a timeline.

import { straighten } from './shaka.js';
import { readRange, Reader, scheme, texts } from './wire.js';

// source finds out what kind of player there is. player is an Hls, a shaka.Player, or null for the browser's own.
export function source(video, player, timeline) {
  if (player?.loadSource) return hls(player, timeline);
  if (player?.getNetworkingEngine) return shaka(player, timeline);
  return native(video, timeline);
}

const hear = (timeline, attr) => {
  const mark = readRange(attr);
  if (mark) timeline.hear(mark);
};

// hls.js: its text track loses cues on Chromium (1.7.0 to 1.7.4 at least) and polls; its events do neither.
function hls(player, timeline) {
  const reader = new Reader(timeline);
  let details = null;
  const updated = (_, data) => {
    details = data.details;
    for (const range of Object.values(details.dateRanges ?? {})) hear(timeline, range.attr);
  };
  const parsed = (_, { samples }) => {
    for (const { data } of samples) for (const text of texts(data)) reader.read(text);
  };
  player.on('hlsLevelUpdated', updated);
  player.on('hlsFragParsingMetadata', parsed);
  if (player.latestLevelDetails) updated(0, { details: player.latestLevelDetails });
  return {
    // Each fragment has a date of its own, as behind a host's return dates step and media times do not.
    dateAt(t) {
      const list = details?.fragments ?? [];
      const hint = details?.fragmentHint;
      const in_ = (f) => f?.programDateTime != null && f.start <= t + 0.01;
      let found = in_(hint) ? hint : null;
      for (let i = list.length - 1; i >= 0 && !found; i--) if (in_(list[i])) found = list[i];
      found ??= list[0];
      return found?.programDateTime != null ? found.programDateTime + (t - found.start) * 1000 : null;
    },
    stop() {
      player.off('hlsLevelUpdated', updated);
      player.off('hlsFragParsingMetadata', parsed);
    },
  };
}

// Shaka: its regions lack the start date, and are cut at the window's beginning, so the playlists themselves are
// read on their way in. Regions tell what came before that. Messages in band need
// mediaSource.dispatchAllEmsgBoxes; they are a second opinion.
function shaka(player, timeline) {
  const reader = new Reader(timeline);
  const line = straighten(player);
  line.listen((list) => list.forEach((attr) => hear(timeline, attr)));
  const emsg = ({ detail }) => texts(detail.messageData).forEach((text) => reader.read(text));
  player.addEventListener('emsg', emsg);
  for (const { schemeIdUri, id, startTime, endTime, values } of player.getAllTimelineRegions?.() ?? []) {
    if (schemeIdUri !== scheme || !startTime && endTime !== Infinity) continue; // cut: its end is wrong
    const date = player.getPresentationStartTimeAsDate().getTime() + startTime * 1000; // steps and all
    const attr = { CLASS: scheme, ID: id, 'START-DATE': new Date(date).toISOString() };
    if (endTime !== Infinity) attr.DURATION = endTime - startTime;
    for (const { key, data } of values ?? []) attr[key] ??= data;
    hear(timeline, attr);
  }
  return {
    dateAt: line.dateAt,
    stop() {
      line.listen(null);
      player.removeEventListener('emsg', emsg);
    },
  };
}

// The browser's own player (Safari) makes text tracks of both: of an ID3 text, one cue with its value; of a date
// range, one cue for each attribute.
function native(video, timeline) {
  const reader = new Reader(timeline);
  const seen = new WeakMap(); // cue -> its end when it was read
  const anchors = []; // [media time, date], in order
  const origin = () => {
    const date = video.getStartDate?.()?.getTime();
    return Number.isFinite(date) ? date : null;
  };
  // Messages in band say which date their frame has; what was said last before t is true for t.
  const dateAt = (t) => {
    const anchor = anchors.findLast(([at]) => at <= t + 0.02);
    if (anchor) return anchor[1] + (t - anchor[0]) * 1000;
    return origin() === null ? null : origin() + t * 1000;
  };
  const look = () => {
    const groups = new Map();
    for (const track of video.textTracks ?? []) {
      if (track.kind !== 'metadata') continue;
      if (track.mode === 'disabled') track.mode = 'hidden';
      for (const cue of track.cues ?? []) {
        const { key, info, data } = cue.value ?? {};
        if (!key || seen.get(cue) === cue.endTime) continue;
        if (key === 'TXXX' && info === scheme) {
          seen.set(cue, cue.endTime);
          const date = reader.read(data);
          if (date !== null) anchors.push([cue.startTime, date]);
          anchors.sort(([a], [b]) => a - b);
          if (anchors.length > 500) anchors.shift();
        } else if (key === 'ID' || key.startsWith('X-ORG-PUSHCART-')) {
          const name = `${cue.id}/${cue.startTime}`;
          const group = groups.get(name) ?? { cues: [], CLASS: scheme, ID: cue.id };
          group[key] = data;
          group.cues.push(cue);
          groups.set(name, group);
        }
      }
    }
    for (const { cues, ...attr } of groups.values()) {
      const [{ startTime, endTime }] = cues;
      const date = dateAt(startTime);
      if (!attr.ID || !attr['X-ORG-PUSHCART-KIND'] || date === null) continue; // the rest may be on its way
      cues.forEach((cue) => seen.set(cue, cue.endTime));
      attr['START-DATE'] = new Date(date).toISOString();
      if (endTime < 1e9) attr.DURATION = endTime - startTime; // open ones end in some far future
      hear(timeline, attr);
    }
  };
  let heard = 0;
  const timer = setInterval(look, 200);
  video.textTracks?.addEventListener?.('addtrack', look);
  return {
    dateAt,
    listed: (entries) => entries.forEach((e) => timeline.hear({ ...e, hash: e.h, asOf: 1e15 + heard++ })), // newest last
    stop() {
      clearInterval(timer);
      video.textTracks?.removeEventListener?.('addtrack', look);
    },
  };
}
