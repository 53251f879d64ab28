import assert from 'node:assert/strict';
import test from 'node:test';
import { newcomers, speaks } from '../player/languages.js';
import { attributes, readList, Renditions, reported } from '../player/renditions.js';
import { relevel } from '../player/renditions-hls.js';
import { withSpares } from '../player/renditions-shaka.js';

const url = 'http://h/live/shop/index.m3u8';
const original = '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="audio",NAME="Original",DEFAULT=YES,AUTOSELECT=YES,CHANNELS="2",URI="a1.m3u8"';
const french = '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="audio",NAME="Français, doucement",LANGUAGE="fr",AUTOSELECT=YES,URI="a2.m3u8"';
const frenchIn64k = french.replace('"audio"', '"audio-64k"').replace('a2', 'a3');
const picture = '#EXT-X-STREAM-INF:BANDWIDTH=1,CODECS="avc1.42c01e,mp4a.40.2",RESOLUTION=640x360,AUDIO="audio"\nv1.m3u8';
const list = (...lines) => ['#EXTM3U', ...lines, '#EXT-X-I-FRAME-STREAM-INF:BANDWIDTH=5,URI="v1-iframes.m3u8"', ''].join('\n');

test('attribute lists: quoted strings keep their commas', () => {
  assert.deepEqual(attributes('#EXT-X-MEDIA:TYPE=AUDIO,NAME="a,b=c",X-N=1'), { TYPE: 'AUDIO', NAME: 'a,b=c', 'X-N': '1' });
});

test('a list is read: voices once for all groups, key pictures left out', () => {
  const read = readList(list(original, french, frenchIn64k, picture), url);
  assert.deepEqual(read.voices.map((v) => [v.name, v.language, v.original]), [['Original', '', true], ['Français, doucement', 'fr', false]]);
  assert.deepEqual(read.voices[1].groups, { audio: 'http://h/live/shop/a2.m3u8', 'audio-64k': 'http://h/live/shop/a3.m3u8' });
  assert.deepEqual(read.pictures, [{ address: 'http://h/live/shop/v1.m3u8', group: 'audio' }]);
  assert.deepEqual([...read.addresses].map((a) => a.slice(-7)), ['a1.m3u8', 'a2.m3u8', 'a3.m3u8', 'v1.m3u8']);
});

test('a media playlist tells of all renditions, itself among them, whatever the directives', () => {
  const text = '#EXTM3U\n#EXT-X-RENDITION-REPORT:URI="a1.m3u8",LAST-MSN=3,LAST-PART=1\n';
  assert.deepEqual(reported(text, 'http://h/live/shop/v1.m3u8?_HLS_msn=4'), ['http://h/live/shop/v1.m3u8', 'http://h/live/shop/a1.m3u8']);
});

// Stage is a Renditions with a player and a server that do what the test says.
class Stage {
  constructor() {
    Object.assign(this, { text: list(original, picture), time: 0, asked: 0, changes: 0, admits: true, later: [], out: false });
    const stage = this;
    this.renditions = new Renditions({
      address: () => url,
      listen(hear) { stage.hear = hear; },
      admit: async () => stage.admits,
      select: (voice) => stage.can !== false && Boolean(stage.now = voice.key),
      playing: () => stage.now ?? '|Original',
      stop() {},
    }, {
      fetch: async () => {
        this.asked++;
        if (this.out) throw new TypeError('no network');
        return { ok: true, url, text: async () => this.text };
      },
      hidden: () => this.away ?? false, random: () => 1, now: () => this.time, later: (f, ms) => this.later.push([f, ms]),
    });
    this.renditions.addEventListener('change', () => this.changes++);
  }

  // reports has the player read a media playlist; what is to be done later is done.
  async reports(...names) {
    this.hear(names.map((n) => `http://h/live/shop/${n}.m3u8`));
    for (const [f] of this.later.splice(0)) await f();
    for (let i = 0; i < 10; i++) await null;
  }
}

test('the list is read once, and again only when playlists report on something else', async () => {
  const s = new Stage();
  await s.reports('v1', 'a1');
  assert.equal(s.asked, 1);
  assert.deepEqual(s.renditions.voices.map((v) => v.name), ['Original']);
  for (let i = 0; i < 100; i++) {
    s.time += 1000;
    await s.reports('v1', 'a1');
  }
  assert.equal(s.asked, 1, 'nobody polls');
  s.text = list(original, french, picture);
  await s.reports('v1', 'a1', 'a2');
  assert.equal(s.asked, 2);
  assert.deepEqual(s.renditions.voices.map((v) => v.language), ['', 'fr']);
  assert.equal(s.changes, 2);
  s.text = list(original, picture);
  s.time += 10_000;
  await s.reports('v1', 'a1');
  assert.equal(s.asked, 3);
  assert.equal(s.renditions.voices.length, 1);
});

test('viewers do not ask in the same moment', async () => {
  const s = new Stage();
  await s.reports('v1', 'a1');
  s.time += 5000;
  s.hear(['http://h/live/shop/v1.m3u8']);
  assert.equal(s.later.length, 1);
  assert.ok(s.later[0][1] >= 1000);
  s.hear(['http://h/live/shop/v1.m3u8']);
  assert.equal(s.later.length, 1, 'one question at a time');
});

test('a difference that stays is asked about less and less often', async () => {
  const s = new Stage();
  await s.reports('v1');
  for (; s.time < 600_000; s.time += 1000) await s.reports('v1');
  assert.ok(s.asked < 20, `${s.asked} questions in ten minutes`);
});

test('no network: the next playlist asks again', async () => {
  const s = new Stage();
  s.out = true;
  await s.reports('v1', 'a1');
  assert.equal(s.renditions.voices.length, 0);
  s.out = false;
  s.time += 60_000;
  await s.reports('v1', 'a1');
  assert.equal(s.renditions.voices.length, 1);
});

test('a hidden page asks when it is seen again', async () => {
  const s = new Stage();
  await s.reports('v1', 'a1');
  s.away = true;
  s.time += 10_000;
  await s.reports('v1', 'a1', 'a2');
  assert.equal(s.asked, 1);
  s.away = false;
  await s.reports('v1', 'a1', 'a2');
  assert.equal(s.asked, 2);
});

test('a choice, and one that needs a new start', async () => {
  const s = new Stage();
  s.text = list(original, french, picture);
  await s.reports('v1', 'a1', 'a2');
  const [, fr] = s.renditions.voices;
  assert.equal(s.renditions.choose(fr), true);
  assert.equal(s.renditions.voice, fr.key);
  assert.equal(s.changes, 2);
  s.can = false;
  assert.equal(s.renditions.choose(fr), false);
  assert.equal(s.changes, 2);
});

test('who listens to a voice that leaves the list hears the host again', async () => {
  const s = new Stage();
  s.text = list(original, french, picture);
  await s.reports('v1', 'a1', 'a2');
  s.renditions.choose(s.renditions.voices[1]);
  s.text = list(original, picture);
  s.time += 60_000;
  await s.reports('v1', 'a1');
  assert.equal(s.renditions.voice, '|Original');
});

test('after stop nothing is asked or told', async () => {
  const s = new Stage();
  await s.reports('v1', 'a1');
  s.renditions.stop();
  s.time += 10_000;
  await s.reports('v1', 'a1', 'a2');
  assert.equal(s.asked, 1);
  assert.equal(s.changes, 1);
});

// An hls.js of numbers only: its level setter compares numbers, as hls.js 1.7 does.
function player(levels, at) {
  return {
    levels, at, autoLevelEnabled: true, read: 0,
    get loadLevel() { return this.at; },
    set loadLevel(n) { this.autoLevelEnabled = false; this.nextLoadLevel = n; },
    set nextLoadLevel(n) { if (n !== this.at) this.read++; this.at = n; },
    trigger(_, data) { this.levels = data.levels; },
  };
}
const level = (height) => ({ height, bitrate: height * 1000, uri: `v${height}`, details: { fragments: [{ level: 0, initSegment: { level: 0 } }], fragmentHint: { level: 0 }, partList: null } });

test('levels that join: the one that plays stays, by its new number', () => {
  const [low, high] = [level(180), level(360)];
  const hls = player([high], 0);
  relevel(hls, {}, [low, high]);
  assert.deepEqual(hls.levels, [low, high]);
  assert.equal(hls.at, 1);
  assert.equal(hls.autoLevelEnabled, true);
  assert.equal(high.details.fragments[0].level, 1);
  assert.equal(high.details.fragments[0].initSegment.level, 1);
  assert.equal(high.details.fragmentHint.level, 1);
});

test('levels that leave: the one that plays stays until another one does', () => {
  const [low, mid, high] = [level(180), level(270), level(360)];
  const hls = player([low, mid, high], 1);
  hls.autoLevelEnabled = false;
  relevel(hls, {}, [high]);
  assert.deepEqual(hls.levels, [mid, high]);
  assert.equal(hls.at, 0);
  assert.equal(hls.autoLevelEnabled, false);
  const before = hls.levels;
  relevel(hls, {}, [high]);
  assert.equal(hls.levels, before, 'nothing to do');
});

test('Shaka gets voices to spare in each group, like the first of it', () => {
  const spared = withSpares(list(original, french, frenchIn64k, picture));
  const read = readList(spared, url);
  assert.equal(read.voices.length, 2 + 4);
  assert.deepEqual(Object.keys(read.voices[1].groups), ['audio', 'audio-64k']);
  assert.ok(spared.includes('NAME="pushcart-spare-3",LANGUAGE="qtz",DEFAULT=NO,AUTOSELECT=NO,CHANNELS="2",URI="pushcart-spare-3.m3u8"'));
  assert.equal(withSpares(list(picture)), list(picture), 'nothing without sound');
});

test('a language that joins is told to those who read it', () => {
  assert.ok(speaks(['fr-CA', 'en'], 'fr'));
  assert.ok(!speaks(['en'], 'fr'));
  assert.ok(!speaks(['en'], ''));
  const [host, fr, es] = [{ key: '|Original', language: '', original: true }, { key: 'fr|F', language: 'fr' }, { key: 'es|E', language: 'es' }];
  assert.deepEqual(newcomers([host], [host, es, fr], ['fr-FR']), [fr]);
  assert.deepEqual(newcomers([host, fr], [host, fr], ['fr-FR']), []);
});
