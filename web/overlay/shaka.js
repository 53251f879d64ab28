// Shaka Player and the dates of a show whose host goes and comes back.
//
// Behind a return, dates step by the time that the host was away, and media times go on. Shaka (5.2.12) works that
// out too, from the playlist, for picture and sound each by itself; but it goes on taking the wall clock for the live
// edge, which media times have fallen behind. It then drops the beginning of its window, takes what is left for the
// whole, drops the beginning of that, and so on, until within seconds there is nothing left to play. So it gets to see
// playlists without steps, its clock is put back by each, and what the true dates are is kept here.

import { ranges } from './wire.js';

const manifest = 0; // RequestType.MANIFEST
const ownStepMs = 1000; // by less, Shaka's media times step too
const earlyMost = 1000; // date ranges that wait for a listener

const lines = new WeakMap(); // player -> what straighten made for it

// straighten has a player see dates without steps from now on, and returns what knows the true ones. listen(f) tells
// of the date ranges in playlists, those before the call included. It is to be called before the player loads; later
// it can only watch, and Shaka has its trouble. A second call for a player returns the same.
export function straighten(player) {
  if (lines.has(player)) return lines.get(player);
  const rewrite = !player.getAssetUri();
  const steps = new Map(); // msn of the first segment behind a step -> [date of the end before it, step in ms]
  const before = (msn) => [...steps].reduce((sum, [at, [, step]]) => (at <= msn ? sum + step : sum), 0);
  let [heard, early] = [null, []];
  const line = {
    listen(f) {
      heard = f;
      f?.(early.splice(0));
    },
    dateAt(t) {
      const begin = player.getPresentationStartTimeAsDate()?.getTime();
      if (!(begin > 0)) return null;
      let date = begin + t * 1000;
      for (const [, [end, step]] of [...steps].sort(([a], [b]) => a - b)) if (date >= end - 2) date += step;
      return date;
    },
    stop() {
      player.getNetworkingEngine()?.unregisterResponseFilter(filter);
      lines.delete(player);
    },
  };
  let late = 0; // how far media times are behind the wall clock since the player has loaded, in ms
  const stepAt = (msn, end, step) => {
    steps.set(msn, [end, step]);
    const timeline = player.getManifest()?.presentationTimeline;
    if (timeline) timeline.setClockOffset(late -= step);
  };
  const filter = (type, response) => {
    if (type !== manifest) return;
    const text = new TextDecoder().decode(response.data);
    if (heard) heard(ranges(text));
    else early = [...early, ...ranges(text)].slice(-earlyMost);
    let [msn, end, date, cut, changed] = [0, null, null, false, false];
    const out = text.split('\n').map((tag) => {
      const value = tag.slice(tag.indexOf(':') + 1);
      if (tag.startsWith('#EXT-X-MEDIA-SEQUENCE:')) msn = Number(value);
      else if (tag.startsWith('#EXT-X-SKIP:')) msn += Number(/SKIPPED-SEGMENTS=(\d+)/.exec(value)?.[1] ?? 0);
      else if (tag.trim() === '#EXT-X-DISCONTINUITY') cut = true;
      else if (tag.startsWith('#EXTINF:')) {
        end = (date ?? end) + parseFloat(value) * 1000;
        date = null;
        msn++;
      } else if (tag.startsWith('#EXT-X-PROGRAM-DATE-TIME:')) {
        date = Date.parse(value);
        // The same for sound and picture, which may be some milliseconds apart: they have to stay so.
        if (cut && end !== null && !steps.has(msn) && (rewrite || Math.abs(date - end) > ownStepMs)) stepAt(msn, end, date - end);
        cut = false;
        const step = before(msn);
        if (rewrite && step) {
          changed = true;
          return tag.replace(value, new Date(Math.round(date - step)).toISOString());
        }
      }
      return tag;
    });
    if (changed) response.data = new TextEncoder().encode(out.join('\n')).buffer;
  };
  player.getNetworkingEngine()?.registerResponseFilter(filter);
  lines.set(player, line);
  return line;
}
