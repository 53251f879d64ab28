import assert from 'node:assert/strict';
import test from 'node:test';
import { edgeOf, firstPlaylist, makeProbe, readPlaylist } from '../player/probe.js';

const multivariant = '#EXTM3U\n#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="a",URI="a1/index.m3u8"\n#EXT-X-STREAM-INF:BANDWIDTH=1\nv1/index.m3u8\n';
const live = '#EXTM3U\n#EXT-X-MEDIA-SEQUENCE:40\n#EXTINF:2,\ne/40.m4s\n#EXT-X-PART:DURATION=1,URI="e/41.0.m4s"\n#EXT-X-PART:DURATION=1,URI="e/41.1.m4s"\n#EXTINF:2,\ne/41.m4s\n#EXT-X-PART:DURATION=1,URI="e/42.0.m4s"\n#EXT-X-PRELOAD-HINT:TYPE=PART,URI="e/42.1.m4s"\n';

test('the first playlist is the first variant, not an audio rendition', () => {
  assert.equal(firstPlaylist(multivariant), 'v1/index.m3u8');
  assert.equal(firstPlaylist('#EXTM3U\n'), null);
});

test('the edge grows with parts and segments', () => {
  assert.deepEqual(readPlaylist(live), { ended: false, edge: edgeOf(42, 1) });
  const longer = `${live}#EXT-X-PART:DURATION=1,URI="e/42.1.m4s"\n`;
  assert.ok(readPlaylist(longer).edge > readPlaylist(live).edge);
  const whole = readPlaylist(`${longer}#EXTINF:2,\ne/42.m4s\n`);
  assert.ok(whole.edge > readPlaylist(longer).edge);
  assert.equal(whole.edge, edgeOf(43, 0));
});

test('the end is seen', () => {
  assert.equal(readPlaylist(`${live}#EXT-X-ENDLIST\n`).ended, true);
});

// server answers by path; a function, a status, or a text.
function server(answers) {
  const asked = [];
  const fetch = async (url) => {
    const { pathname } = new URL(url);
    asked.push(pathname);
    const answer = answers[pathname] ?? 404;
    if (answer instanceof Error) throw answer;
    return typeof answer === 'number' ? { ok: false, status: answer } : { ok: true, url, text: async () => answer };
  };
  return { asked, probe: makeProbe('http://shop.example/live/x/index.m3u8', { fetch }) };
}

test('a show that runs, and one playlist asked for from then on', async () => {
  const { asked, probe } = server({ '/live/x/index.m3u8': multivariant, '/live/x/v1/index.m3u8': live });
  assert.deepEqual(await probe(), { status: 'live', edge: edgeOf(42, 1) });
  await probe();
  assert.deepEqual(asked, ['/live/x/index.m3u8', '/live/x/v1/index.m3u8', '/live/x/v1/index.m3u8']);
});

test('a show that has ended may be followed by one with other playlists', async () => {
  const answers = { '/live/x/index.m3u8': multivariant, '/live/x/v1/index.m3u8': `${live}#EXT-X-ENDLIST\n` };
  const { probe } = server(answers);
  assert.equal((await probe()).status, 'ended');
  answers['/live/x/index.m3u8'] = multivariant.replace('v1/', 'v2/');
  answers['/live/x/v2/index.m3u8'] = live;
  assert.equal((await probe()).status, 'live');
});

for (const [status, want] of [[404, 'absent'], [410, 'absent'], [503, 'absent'], [500, 'unreachable'], [502, 'unreachable'], [new TypeError('failed to fetch'), 'unreachable']]) {
  test(`${status} means ${want}`, async () => {
    assert.equal((await server({ '/live/x/index.m3u8': status }).probe()).status, want);
    assert.equal((await server({ '/live/x/index.m3u8': multivariant, '/live/x/v1/index.m3u8': status }).probe()).status, want);
  });
}
