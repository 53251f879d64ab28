import assert from 'node:assert/strict';
import test from 'node:test';

import { onlyOpen, waitForSegment } from '../player/complete.js';

const head = '#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXT-X-MEDIA-SEQUENCE:100\n';
const gaps = '#EXTINF:2,\n#EXT-X-GAP\nv1/gap100.m4s\n#EXTINF:2,\n#EXT-X-GAP\nv1/gap101.m4s\n';
const part = '#EXT-X-PART:DURATION=0.33333,URI="v1/p0.m4s",INDEPENDENT=YES\n';
const hint = '#EXT-X-PRELOAD-HINT:TYPE=PART,URI="v1/p1.m4s"\n';

test('an open segment behind gaps is waited for', () => {
  assert.equal(onlyOpen(head + gaps + part + hint), 102);
  assert.equal(onlyOpen(head + gaps + part + part.replace('"v', '"w')), 102);
});

test('nothing else is', () => {
  assert.equal(onlyOpen(`${head}${gaps}${part}#EXTINF:2,\nv1/102.m4s\n`), null, 'a complete segment');
  assert.equal(onlyOpen(`${head}${gaps}${part}#EXTINF:2,\nv1/102.m4s\n#EXTINF:2,\n#EXT-X-GAP\nv1/gap103.m4s\n${part}`), null, 'a complete one among gaps');
  assert.equal(onlyOpen(head + gaps), null, 'gaps alone: nobody knows whether anything comes');
  assert.equal(onlyOpen(`${head}${gaps}#EXT-X-PART:DURATION=0.3,URI="v1/p0.m4s",GAP=YES\n`), null, 'a part that is a gap');
  assert.equal(onlyOpen('#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nv1.m3u8\n'), null, 'a multivariant playlist');
});

test('the answer is the one of the server when it is complete, or what there was', async (t) => {
  let filter;
  waitForSegment({ getNetworkingEngine: () => ({ registerResponseFilter(f) { filter = f; } }) });
  const asked = [];
  let ok = true;
  t.mock.method(globalThis, 'fetch', async (url) => {
    asked.push(String(url));
    return { ok, arrayBuffer: async () => new TextEncoder().encode('complete').buffer };
  });
  const response = () => ({ uri: 'https://live.example/live/shop/v1.m3u8?x=1', data: new TextEncoder().encode(head + gaps + part).buffer });
  const text = (r) => new TextDecoder().decode(r.data);
  const playlist = response();
  await filter(0, playlist);
  assert.equal(text(playlist), 'complete');
  assert.deepEqual(asked, ['https://live.example/live/shop/v1.m3u8?x=1&_HLS_msn=102']);
  ok = false;
  const refused = response();
  await filter(0, refused);
  assert.equal(text(refused), head + gaps + part);
  await filter(1, response());
  assert.equal(asked.length, 2, 'segments are let through');
});
