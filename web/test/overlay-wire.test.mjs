import assert from 'node:assert/strict';
import test from 'node:test';
import { Timeline } from '../overlay/timeline.js';
import { id3 } from './id3.mjs';
import { ranges, readRange, Reader, texts } from '../overlay/wire.js';

const tag = '#EXT-X-DATERANGE:ID="wig-3.12",CLASS="org.pushcart.cue",START-DATE="2026-11-20T18:00:22.033Z",X-ORG-PUSHCART-KIND="product",X-ORG-PUSHCART-SLOT="side",X-ORG-PUSHCART-H="9f3c2a7b61d0e4c8"';
const start = Date.parse('2026-11-20T18:00:22.033Z');

test('date ranges: open, closed, withdrawn', () => {
  const read = (text) => ranges(text).map(readRange);
  assert.deepEqual(read(`#EXTM3U\n${tag}\r\n#EXTINF:2,\na.m4s\n`), [{
    id: 'wig-3', rev: 12, kind: 'product', slot: 'side', hash: '9f3c2a7b61d0e4c8', start, end: null, asOf: -Infinity,
  }]);
  const [closed] = read(`${tag},DURATION=3.001\n`);
  assert.equal(closed.end, start + 3001);
  assert.equal(closed.asOf, Infinity);
  assert.equal(read(`${tag},DURATION=0\n`)[0].end, start);
});

test('the revision follows the last dot', () => {
  const { id, rev } = readRange({ CLASS: 'org.pushcart.cue', ID: 'v1.2.wig.3', 'START-DATE': '2026-11-20T18:00:22.033Z' });
  assert.deepEqual([id, rev], ['v1.2.wig', 3]);
});

test('ranges of others are none of ours', () => {
  assert.equal(readRange({ CLASS: 'com.apple.hls.interstitial', ID: 'ad.1' }), null);
  assert.deepEqual(ranges('#EXTM3U\n#EXT-X-DATERANGEX:ID="a"\n'), []);
});

test('ID3 texts', () => {
  const long = JSON.stringify({ text: 'Café € '.repeat(60) });
  assert.deepEqual(texts(id3(['org.pushcart.cue', long], ['other', 'x'], ['org.pushcart.cue', '{}', 'TXXY'], ['org.pushcart.cue', '{"a":1}'])), [long, '{"a":1}']);
});

test('damaged ID3 ends somewhere', () => {
  const good = id3(['org.pushcart.cue', '{"op":"cue"}']);
  for (let n = 0; n < good.length; n++) {
    assert.ok(texts(good.subarray(0, n)).length <= 1);
    for (const b of [0, 1, 127, 255]) {
      const bad = good.slice();
      bad[n] = b;
      assert.ok(texts(bad).length <= 2);
    }
  }
});

test('messages in band', () => {
  const t = new Timeline();
  const reader = new Reader(t);
  const up = (at) => t.at(at).map((m) => m.id).join();
  assert.equal(reader.read('{"v":1,"op":"cue","id":"a","rev":1,"kind":"product","slot":"main","start":1000,"end":null,"h":"00"}'), null);
  assert.equal(up(5000), 'a');
  assert.equal(reader.read('{"v":1,"op":"state","at":2000,"n":0,"of":2,"cues":[["a",1,"product","main",1000,null,"00"]]}'), 2000);
  assert.equal(reader.read('{"v":1,"op":"state","at":2000,"n":1,"of":2,"cues":[["b",1,"product","side",1500,9000,"00"]]}'), 2000);
  assert.equal(up(5000), 'a,b', 'a snapshot in two messages');
  reader.read('{"v":1,"op":"state","at":4000,"n":0,"of":1,"cues":[["b",1,"product","side",1500,9000,"00"]]}');
  assert.equal(up(5000), 'b');
  assert.equal(up(3000), 'a,b');
  for (const nonsense of ['', '{', 'null', '[]', '1', '{"op":"state"}', '{"op":"cue"}', '{"op":"cue","id":5,"rev":"x","start":{}}']) assert.equal(reader.read(nonsense), null);
});
