import assert from 'node:assert/strict';
import test from 'node:test';
import { attach } from '../overlay/cues.js';

const epoch = Date.parse('2026-11-20T18:00:00Z');
const soon = () => new Promise((go) => setImmediate(go));

// Video is a video element with 30 frames a second that shows what it is told to.
class Video {
  videoWidth = 640;
  readyState = 4;
  currentTime = 0;
  requestVideoFrameCallback(f) { this.callback = f; return 1; }
  cancelVideoFrameCallback() { this.callback = null; }
  show(mediaTime) {
    this.currentTime = mediaTime;
    const f = this.callback;
    this.callback = null;
    f?.(0, { mediaTime });
  }
}

// Hls is hls.js as far as the overlay knows it: a window of fragments of 2 s, and date ranges.
class Hls {
  url = 'http://shop.example/live/a/index.m3u8';
  handlers = {};
  details = { fragments: [], dateRanges: {} };
  constructor({ gapAt = Infinity, gap = 0 } = {}) {
    for (let start = 0; start < 60; start += 2) {
      this.details.fragments.push({ start, programDateTime: epoch + start * 1000 + (start >= gapAt ? gap * 1000 : 0) });
    }
  }
  get latestLevelDetails() { return this.details; }
  loadSource() {}
  on(name, f) { this.handlers[name] = f; }
  off(name, f) { if (this.handlers[name] === f) delete this.handlers[name]; }
  // range lists a date range: times in seconds of the date from the show's beginning.
  range(key, start, { end = null, slot = 'main' } = {}) {
    const attr = {
      ID: key, CLASS: 'org.pushcart.cue', 'START-DATE': new Date(epoch + start * 1000).toISOString(),
      'X-ORG-PUSHCART-KIND': 'product', 'X-ORG-PUSHCART-SLOT': slot, 'X-ORG-PUSHCART-H': '00',
      ...end === null ? {} : { DURATION: String(end - start) },
    };
    this.details.dateRanges[key] = { attr };
    this.handlers.hlsLevelUpdated?.('', { details: this.details });
  }
}

// server answers with a content that names what was asked for; broken has paths that it does not find.
function server(broken = /^$/) {
  const asked = [];
  const fetch = async (url) => {
    asked.push(url.pathname);
    const ok = !broken.test(url.pathname);
    return { ok, json: async () => ({ text: url.pathname.replace('/live/a/cues/', '') }) };
  };
  return { asked, fetch };
}

// watch attaches, and notes what happens.
function watch(t, { hls = new Hls(), video = new Video(), broken, ...options } = {}) {
  const { asked, fetch } = server(broken);
  const cues = attach(video, { player: hls, facts: 'off', fetch, locale: 'fr-CA', ...options });
  const log = [];
  for (const type of ['enter', 'update', 'exit']) {
    cues.addEventListener(type, ({ detail: { cue, time } }) => log.push(`${type} ${cue.slot}:${cue.id}.${cue.rev} @${time.toFixed(3)}`));
  }
  t.after(() => cues.detach());
  const take = () => log.splice(0);
  return { hls, video, cues, asked, take, up: () => cues.active.map((c) => `${c.id}.${c.rev}`).join() };
}

// play shows every frame between two media times.
async function play(video, from, to) {
  for (let n = Math.round(from * 30); n < Math.round(to * 30); n++) {
    video.show(n / 30);
    await soon();
  }
}

test('enter and exit come with their frames', async (t) => {
  const { hls, video, take } = watch(t);
  hls.range('a.1', 1 + 1 / 30 - 0.0004);
  hls.range('b.1', 2.033, { end: 3.5 });
  await play(video, 0, 4);
  assert.deepEqual(take(), ['enter main:a.1 @1.033', 'exit main:a.1 @2.033', 'enter main:b.1 @2.033', 'exit main:b.1 @3.500']);
});

test('seeks, late joins and slots: what is up follows from the frame', async (t) => {
  const { hls, video, take, up } = watch(t);
  hls.range('a.1', 10, { end: 20 });
  hls.range('b.1', 20, { end: 30 });
  hls.range('s.1', 5, { slot: 'side' });
  await play(video, 15, 15.2);
  assert.equal(up(), 's.1,a.1');
  await play(video, 25, 25.2);
  assert.equal(up(), 's.1,b.1');
  await play(video, 2, 2.2);
  assert.equal(up(), '');
  assert.deepEqual(take().slice(-2).map((l) => l.slice(0, 4)), ['exit', 'exit']);
  await play(video, 12, 12.2);
  assert.equal(up(), 's.1,a.1');
});

test('a revision updates, without an exit, once its content is here', async (t) => {
  const { hls, video, take } = watch(t);
  hls.range('a.1', 1, { end: 2 });
  hls.range('a.2', 2);
  await play(video, 1, 3);
  assert.deepEqual(take(), ['enter main:a.1 @1.000', 'update main:a.2 @2.000']);
});

test('who waits for a content keeps the cue’s former revision, and nobody else’s', async (t) => {
  const gate = {};
  const fetch = (url) => new Promise((go) => { gate[url.pathname.split('/')[4]] = () => go({ ok: true, json: async () => ({}) }); });
  const { hls, video, take, up } = watch(t, { fetch });
  hls.range('a.1', 1, { end: 2 });
  hls.range('a.2', 2, { end: 3 });
  hls.range('b.1', 3);
  await play(video, 0.9, 1.1);
  gate.a();
  await play(video, 1.1, 2.5);
  assert.equal(up(), 'a.1', 'the second revision is on its way');
  gate.a();
  await play(video, 2.5, 2.9);
  assert.equal(up(), 'a.2');
  await play(video, 2.9, 3.2);
  assert.equal(up(), '');
  gate.b();
  await soon();
  assert.equal(up(), 'b.1', 'it comes when it has come, frame or not');
  assert.equal(take().filter((l) => /exit/.test(l)).length, 1);
});

test('behind a host’s return, dates step and media times do not', async (t) => {
  const hls = new Hls({ gapAt: 20, gap: 40 });
  const { video, take } = watch(t, { hls });
  hls.range('before.1', 18, { end: 19 });
  hls.range('during.1', 30, { end: 40 }); // nobody sees it
  hls.range('across.1', 19.5);
  hls.range('after.1', 61); // media time 21
  await play(video, 17.5, 22);
  assert.deepEqual(take(), [
    'enter main:before.1 @18.000', 'exit main:before.1 @19.000', 'enter main:across.1 @19.500',
    'exit main:across.1 @20.000', 'enter main:after.1 @21.000',
  ]);
});

test('a withdrawn cue goes, also while the picture stands still', async (t) => {
  const { hls, video, up } = watch(t);
  hls.range('a.1', 1);
  await play(video, 1, 1.5);
  assert.equal(up(), 'a.1');
  hls.range('a.1', 1, { end: 1 });
  await new Promise((go) => setTimeout(go, 400)); // a tick: no frame comes
  assert.equal(up(), '');
});

test('the locale’s document, then the one with all locales, then none', async (t) => {
  const first = watch(t);
  first.hls.range('a.1', 0);
  await play(first.video, 0, 0.2);
  assert.deepEqual(first.asked, ['/live/a/cues/a/1/fr-CA.json']);
  assert.equal(first.cues.active[0].content.text, 'a/1/fr-CA.json');
  const second = watch(t, { broken: /fr-CA/ });
  second.hls.range('a.1', 0);
  await play(second.video, 0, 0.2);
  assert.equal(second.cues.active[0].content.text, 'a/1.json');
});

test('contents are asked for once, and only of what is up or to come', async (t) => {
  const { hls, video, asked } = watch(t);
  for (let n = 0; n < 20; n++) hls.range(`p${n}.1`, n, { end: n + 1 });
  await play(video, 10, 10.5);
  for (let i = 0; i < 3; i++) hls.range('again.1', 30);
  await play(video, 10.5, 11);
  assert.deepEqual(asked.slice(0, 1), ['/live/a/cues/p10/1/fr-CA.json']);
  assert.equal(new Set(asked).size, asked.length);
  assert.ok(!asked.some((path) => /p[0-9]\//.test(path)), 'nobody needs what is over');
});

test('offers: market and currency, or what comes nearest', (t) => {
  const prices = { USD: { amount: 3999, list: 5999 }, 'CA-CAD': { amount: 5499 }, EUR: { amount: 3799 } };
  const offer = (o) => { const { amount, currency } = watch(t, o).cues.offer({ prices, stock: 3 }); return `${amount} ${currency}`; };
  assert.equal(offer({ currency: 'EUR' }), '3799 EUR');
  assert.equal(offer({ currency: 'CAD', market: 'CA' }), '5499 CAD');
  assert.equal(offer({ currency: 'JPY', market: 'CA' }), '5499 CAD');
  assert.equal(offer({ currency: 'JPY' }), '3999 USD');
  assert.equal(offer({}), '3999 USD');
  assert.deepEqual(watch(t).cues.offer({ stock: 0 }), { currency: undefined, stock: 0 });
});

test('detach ends what is up, and hears no more', async (t) => {
  const { hls, video, cues, take } = watch(t);
  hls.range('a.1', 0);
  await play(video, 0, 0.2);
  take();
  cues.detach();
  assert.deepEqual(take(), ['exit main:a.1 @0.167']);
  assert.deepEqual(hls.handlers, {});
  assert.deepEqual(cues.active, []);
  video.show(1);
  assert.deepEqual(take(), []);
});

test('without an address there is nothing to attach to', () => {
  assert.throws(() => attach(new Video(), { player: { loadSource() {}, on() {} } }), /url/);
});
