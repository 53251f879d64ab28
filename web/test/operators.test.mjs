import assert from 'node:assert/strict';
import test from 'node:test';
import { age, bits, formatOf, incoming, keysOf, sizeOf, sourceOf, summary, textOf, trackName } from '../../admin/page/words.js';

const host = { id: 1, kind: 'video', codec: 'h264', width: 720, height: 1280, bit_rate: 2_000_000 };
const rung = { id: 3001, kind: 'video', codec: 'h264', label: '360p', width: 360, height: 640, bit_rate: 700_000 };
const voice = { id: 2001, kind: 'audio', codec: 'aac', language: 'fr', label: 'Français', sample_rate: 44_100, channels: 2, bit_rate: 96_000 };
const show = {
  tracks: [host, voice, rung],
  contributors: [
    { role: '@fr', protocol: 'rtmp', remote: '203.0.113.9:5000', tracks: [2001] },
    { role: 'ladder', protocol: 'ffmpeg', remote: 'this server', tracks: [3001] },
  ],
};

test('numbers as people write them', () => {
  assert.deepEqual([0, NaN, 64_400, 999_499, 999_500, 2_345_000].map(bits), ['', '', '64 kb/s', '999 kb/s', '1.0 Mb/s', '2.3 Mb/s']);
  assert.deepEqual([-5, 119_000, 120_000, 7_199_000, 7_260_000].map(age), ['0 s', '119 s', '2 min', '120 min', '2 h 1 min']);
  assert.equal(sizeOf(host), '720×1280');
  assert.equal(sizeOf(voice), '');
});

test('tracks: what they are, from whom, and what comes in', () => {
  assert.deepEqual(show.tracks.map(trackName), ['720p', 'Français (fr)', '360p']);
  assert.deepEqual(show.tracks.map((t) => sourceOf(show, t)), ['host', '@fr', 'ladder']);
  assert.deepEqual(show.tracks.map(formatOf), ['H.264', 'AAC, 44.1 kHz, stereo', 'H.264']);
  assert.equal(incoming(show), 2_096_000, 'what the server makes does not come in');
  assert.equal(summary(show.tracks), '720p, 360p, fr');
  assert.equal(formatOf({ codec: 'new' }), 'new', 'a codec that the page does not know');
});

test('a card in words', () => {
  assert.equal(textOf({ products: [{ id: 'p', title: { fr: 'Perruque', en: 'Wig' } }, { id: 'q' }] }, 'c'), 'Wig, q');
  assert.equal(textOf({ text: { fr: 'Bonjour' } }, 'c'), 'Bonjour');
  assert.equal(textOf(undefined, 'c'), 'c');
});

test('keys of rows are unlike each other, and the same each time', () => {
  const rungs = [{ label: '720p' }, { label: '360p' }, { label: '720p' }];
  const keys = keysOf(rungs, (r) => r.label);
  assert.equal(new Set(keys).size, 3);
  assert.deepEqual(keys.slice(0, 2), ['720p', '360p']);
  assert.deepEqual(keysOf(rungs, (r) => r.label), keys);
});
