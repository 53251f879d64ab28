import assert from 'node:assert/strict';
import test from 'node:test';
import { straighten } from '../overlay/shaka.js';
import { source } from '../overlay/sources.js';
import { Timeline } from '../overlay/timeline.js';
import { id3 } from './id3.mjs';

const epoch = Date.parse('2026-11-20T18:00:00Z');
const date = (s) => new Date(epoch + s * 1000).toISOString();

// Shaka is a shaka.Player as far as the overlay knows it. Its media time zero is the epoch.
class Shaka extends EventTarget {
  filters = new Set();
  offset = 0;
  constructor({ loaded = false } = {}) {
    super();
    this.loaded = loaded;
  }
  getAssetUri() { return this.loaded ? 'http://shop.example/index.m3u8' : null; }
  getNetworkingEngine() {
    return { registerResponseFilter: (f) => this.filters.add(f), unregisterResponseFilter: (f) => this.filters.delete(f) };
  }
  getPresentationStartTimeAsDate() { return new Date(epoch); }
  getManifest() { return { presentationTimeline: { setClockOffset: (ms) => { this.offset = ms; } } }; }
  // receive hands a playlist to the filters, and returns what the player gets to see of its dates, in seconds.
  receive(text) {
    const response = { data: new TextEncoder().encode(text).buffer };
    for (const f of this.filters) f(0, response);
    return [...new TextDecoder().decode(response.data).matchAll(/DATE-TIME:(\S+)/g)].map(([, d]) => (Date.parse(d) - epoch) / 1000);
  }
}

// playlist lists segments of 2 s: numbers are dates in seconds, 'cut' is a discontinuity before the next.
function playlist(msn, entries, { skip = 0, more = '' } = {}) {
  let text = `#EXTM3U\n#EXT-X-MEDIA-SEQUENCE:${msn}\n${skip ? `#EXT-X-SKIP:SKIPPED-SEGMENTS=${skip}\n` : ''}`;
  entries.forEach((e, i) => {
    if (e === 'cut') text += '#EXT-X-DISCONTINUITY\n';
    else text += `#EXT-X-PROGRAM-DATE-TIME:${date(e)}\n${i === entries.length - 1 ? '#EXT-X-PART:DURATION=1,URI="p"\n' : '#EXTINF:2.000,\ns.m4s\n'}`;
  });
  return text + more;
}

test('a step in the dates is hidden from Shaka, and known', () => {
  const player = new Shaka();
  const line = straighten(player);
  assert.equal(straighten(player), line, 'once for a player');
  assert.deepEqual(player.receive(playlist(5, [0, 2, 4])), [0, 2, 4]);
  assert.deepEqual(player.receive(playlist(5, [0, 2, 4, 'cut', 9.5])), [0, 2, 4, 6]);
  assert.equal(player.offset, -3500, 'its live edge has waited, too');
  // Later playlists leave the discontinuity out, and then the segments in front of it.
  assert.deepEqual(player.receive(playlist(5, [11.5, 13.5], { skip: 4 })), [8, 10]);
  assert.deepEqual(player.receive(playlist(9, [11.5, 13.5])), [8, 10]);
  assert.deepEqual(player.receive(playlist(9, [11.5, 13.5, 'cut', 20.5])), [8, 10, 12]);
  assert.equal(player.offset, -3500 - 5000);
  for (const [t, want] of [[0, 0], [5.9, 5.9], [6, 9.5], [8.5, 12], [11.9, 15.4], [12, 20.5], [14, 22.5]]) {
    assert.equal(Math.round((line.dateAt(t) - epoch)), Math.round(want * 1000), `media time ${t}`);
  }
});

test('sound and picture step together', () => {
  const player = new Shaka();
  straighten(player);
  player.receive(playlist(5, [0, 2, 'cut', 9]));
  assert.deepEqual(player.receive(playlist(5, [0.005, 2.005, 'cut', 9.001])), [0.005, 2.005, 4.001]);
});

test('a player that has loaded already is only watched', () => {
  const player = new Shaka({ loaded: true });
  const line = straighten(player);
  assert.deepEqual(player.receive(playlist(5, [0, 2, 'cut', 9])), [0, 2, 9]);
  assert.equal(Math.round(line.dateAt(4) - epoch), 9000);
  line.stop();
  assert.equal(player.filters.size, 0);
});

test('Shaka: cues from playlists and messages in band', () => {
  const player = new Shaka();
  const timeline = new Timeline();
  const range = `#EXT-X-DATERANGE:ID="a.1",CLASS="org.pushcart.cue",START-DATE="${date(1)}",X-ORG-PUSHCART-KIND="product",X-ORG-PUSHCART-SLOT="main",X-ORG-PUSHCART-H="00"\n`;
  straighten(player);
  player.receive(playlist(5, [0, 2], { more: range }));
  const s = source({}, player, timeline);
  const message = JSON.stringify({ v: 1, op: 'cue', id: 'b', rev: 1, kind: 'product', slot: 'side', start: epoch + 1500, end: null, h: '00' });
  player.dispatchEvent(Object.assign(new Event('emsg'), { detail: { messageData: id3(['org.pushcart.cue', message]) } }));
  assert.deepEqual(timeline.at(s.dateAt(1.2)).map((m) => m.id), ['a']);
  assert.deepEqual(timeline.at(s.dateAt(1.6)).map((m) => m.id), ['a', 'b']);
  s.stop();
});

test('Shaka: who comes when it has loaded takes what its regions still tell', () => {
  const player = new Shaka({ loaded: true });
  const region = (id, startTime, endTime) => ({
    id, startTime, endTime, schemeIdUri: 'org.pushcart.cue',
    values: [{ key: 'ID', data: id }, { key: 'X-ORG-PUSHCART-KIND', data: 'product' }, { key: 'X-ORG-PUSHCART-SLOT', data: id }],
  });
  player.getAllTimelineRegions = () => [
    region('open.1', 0, Infinity), // it began before the window
    region('cut.1', 0, 9), // so did this, and nobody knows by how much its end is off
    region('whole.1', 5, 8),
    { ...region('other.1', 5, 8), schemeIdUri: 'com.example' },
  ];
  const timeline = new Timeline();
  const s = source({}, player, timeline);
  assert.deepEqual(timeline.at(epoch + 6000).map((m) => `${m.id} ${m.slot}`), ['open open.1', 'whole whole.1']);
  assert.deepEqual(timeline.at(epoch + 8500).map((m) => m.id), ['open']);
  s.stop();
});

// Safari makes text tracks of what it hears. Shapes as WebKit and Shaka's tests of it have them; not seen on a device.
function safari(cues, startDate) {
  const track = { kind: 'metadata', mode: 'disabled', cues };
  const textTracks = Object.assign(new EventTarget(), { *[Symbol.iterator]() { yield track; } });
  return { video: { textTracks, getStartDate: () => new Date(startDate) }, track };
}
const tick = () => new Promise((go) => setTimeout(go, 250));

test('native: messages in band, whose snapshots tie media times to dates', async () => {
  const say = (startTime, m) => ({ startTime, endTime: startTime + 1, value: { key: 'TXXX', info: 'org.pushcart.cue', data: JSON.stringify(m) } });
  const { video, track } = safari([
    say(10, { op: 'cue', id: 'a', rev: 1, kind: 'product', slot: 'main', start: epoch, end: null, h: '00' }),
    say(12, { op: 'state', at: epoch + 2000, n: 0, of: 1, cues: [['a', 1, 'product', 'main', epoch, null, '00']] }),
    say(20, { op: 'state', at: epoch + 50_000, n: 0, of: 1, cues: [['b', 1, 'product', 'main', epoch + 49_000, null, '00']] }),
  ], epoch - 10_000);
  const timeline = new Timeline();
  const s = source(video, null, timeline);
  await tick();
  assert.equal(track.mode, 'hidden');
  const up = (t) => timeline.at(s.dateAt(t)).map((m) => m.id).join();
  assert.equal(s.dateAt(5), epoch - 5000, 'before the first snapshot, the start date');
  assert.deepEqual([11, 13, 19.9, 20, 21].map(up), ['a', 'a', 'a', 'b', 'b']);
  s.listed([{ id: 'b', rev: 1, kind: 'product', slot: 'main', start: epoch + 49_000, end: epoch + 51_500, h: '00' }]);
  assert.equal(up(21.6), '', 'the list says when it has ended');
  s.stop();
});

test('native: a date range comes as one cue for each attribute', async () => {
  const attribute = (key, data, endTime = 1e12) => ({ id: 'a.2', startTime: 5, endTime, type: 'com.apple.quicktime.HLS', value: { key, data } });
  const { video, track } = safari([attribute('X-ORG-PUSHCART-KIND', 'product'), attribute('X-ORG-PUSHCART-SLOT', 'side')], epoch);
  const timeline = new Timeline();
  const s = source(video, null, timeline);
  await tick();
  assert.deepEqual(timeline.at(epoch + 5000).map(({ id, rev, slot, end }) => [id, rev, slot, end]), [['a', 2, 'side', null]]);
  for (const cue of track.cues) cue.endTime = 8; // the second tag
  await tick();
  assert.deepEqual(timeline.at(epoch + 8000), []);
  s.stop();
});
