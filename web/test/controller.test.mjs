import assert from 'node:assert/strict';
import test from 'node:test';
import { Controller, tickMs } from '../player/controller.js';
import { edgeOf } from '../player/probe.js';

// A show, a browser and a clock that only move when a test says so.
class World {
  constructor(answer) {
    this.time = 0;
    this.answer = answer;
    this.probes = 0;
    this.phases = [];
    this.engines = [];
    this.moving = false;
    this.video = { paused: false, ended: false, currentTime: 0, readyState: 4, playbackRate: 1, seeking: false };
    this.controller = new Controller({
      video: this.video,
      probe: async () => { this.probes++; return typeof this.answer === 'function' ? this.answer() : this.answer; },
      start: async (on) => {
        if (this.unsupported) throw new Error('no');
        const engine = { on, paced: true, measured: null, edgeNow: null, recovered: 0, jumps: 0, destroyed: false, measure() { return this.measured; }, edge() { return this.edgeNow; }, date: () => null, recover() { this.recovered++; }, toLive() { this.jumps++; }, destroy() { this.destroyed = true; } };
        this.engines.push(engine);
        return engine;
      },
      play: () => { this.plays = (this.plays ?? 0) + 1; },
      onPhase: (phase) => this.phases.push(phase),
      onEngine: () => {},
      now: () => this.time,
      random: () => 0.5,
      hidden: () => false,
    });
  }

  get engine() { return this.engines.at(-1); }
  get phase() { return this.controller.phase; }

  async pass(seconds) {
    for (const end = this.time + seconds * 1000; this.time < end;) {
      this.time += tickMs;
      if (this.moving && !this.video.paused) this.video.currentTime += tickMs / 1000;
      this.controller.tick();
      for (let i = 0; i < 5; i++) await Promise.resolve();
    }
  }

  async playing() {
    await this.pass(1);
    this.moving = true;
    await this.pass(2);
    assert.equal(this.phase, 'playing');
  }
}

const running = (w) => () => ({ status: 'live', edge: edgeOf(10, Math.floor(w.time / 340)) });
const standing = { status: 'live', edge: edgeOf(10, 3) };

test('waits for a show to start, asking gently, and starts by itself', async () => {
  const w = new World({ status: 'absent' });
  await w.pass(60);
  assert.equal(w.phase, 'waiting');
  assert.ok(w.probes <= 31, `${w.probes} questions in a minute`);
  await w.pass(600);
  const before = w.probes;
  await w.pass(60);
  assert.ok(w.probes - before <= 13, `${w.probes - before} questions in a minute, later`);
  w.answer = running(w);
  await w.pass(6);
  assert.equal(w.engines.length, 1);
  w.moving = true;
  await w.pass(1);
  assert.equal(w.phase, 'playing');
});

test('asks nothing while all goes well', async () => {
  const w = new World(null);
  w.answer = running(w);
  await w.playing();
  const before = w.probes;
  await w.pass(120);
  assert.equal(w.probes, before);
  assert.equal(w.engines.length, 1);
});

for (const away of [5, 20, 55]) {
  test(`a host who is away for ${away} s: said so, and the same player plays on`, async () => {
    const w = new World(null);
    w.answer = running(w);
    await w.playing();
    w.moving = false;
    w.answer = standing;
    w.engine.edgeNow = standing.edge;
    await w.pass(away);
    assert.equal(w.phase, 'interrupted');
    w.answer = running(w);
    await w.pass(1); // media comes before the picture moves
    w.moving = true;
    await w.pass(1);
    assert.equal(w.phase, 'playing');
    assert.equal(w.engines.length, 1);
    assert.equal(w.engine.recovered, 0);
    assert.equal(w.controller.stalls, 0, 'not the viewer’s fault');
    assert.equal(w.controller.patience.at(w.time), 0);
  });
}

test('a stumbling connection: said so, and more patience from then on', async () => {
  const w = new World(null);
  w.answer = running(w);
  await w.playing();
  w.engine.edgeNow = edgeOf(10, 0);
  w.moving = false;
  await w.pass(4);
  assert.equal(w.phase, 'buffering');
  w.moving = true;
  await w.pass(1);
  assert.equal(w.phase, 'playing');
  assert.ok(w.controller.patience.at(w.time) > 0);
  assert.equal(w.engine.recovered, 0);
});

test('a player that is stuck though media comes gets help, then makes room for a new one', async () => {
  const w = new World(null);
  w.answer = running(w);
  await w.playing();
  w.engine.edgeNow = edgeOf(10, 0);
  w.moving = false;
  await w.pass(12);
  assert.equal(w.engine.recovered, 1);
  assert.equal(w.plays, 1);
  await w.pass(12);
  assert.equal(w.engines.length, 2);
  assert.ok(w.engines[0].destroyed);
  w.moving = true;
  await w.pass(2);
  assert.equal(w.phase, 'playing');
});

test('no network: said so, and on again', async () => {
  const w = new World(null);
  w.answer = running(w);
  await w.playing();
  w.moving = false;
  w.answer = { status: 'unreachable' };
  await w.pass(5);
  assert.equal(w.phase, 'offline');
  w.engine.on.trouble('network', 'gave up');
  await w.pass(5);
  assert.equal(w.phase, 'offline');
  w.answer = running(w);
  await w.pass(3);
  w.moving = true;
  await w.pass(2);
  assert.equal(w.phase, 'playing');
});

test('a media error is mended in place once, then by a new player', async () => {
  const w = new World(null);
  w.answer = running(w);
  await w.playing();
  w.moving = false;
  w.engine.on.trouble('media', 'decode');
  assert.equal(w.engine.recovered, 1);
  w.engine.on.trouble('media', 'decode');
  await w.pass(4);
  assert.equal(w.engines.length, 2);
});

test('the end, told by the player or by the playlist, and the next show', async () => {
  for (const byPlayer of [true, false]) {
    const w = new World(null);
    w.answer = running(w);
    await w.playing();
    w.answer = { status: 'ended', edge: edgeOf(11, 0) };
    w.moving = false;
    if (byPlayer) w.engine.on.ended();
    await w.pass(4);
    assert.equal(w.phase, 'ended');
    assert.ok(w.engine.destroyed);
    w.answer = { status: 'absent' };
    await w.pass(30);
    assert.equal(w.phase, 'ended');
    w.answer = running(w);
    await w.pass(6);
    w.moving = true;
    await w.pass(2);
    assert.equal(w.phase, 'playing');
  }
});

test('a page opened after the end says so', async () => {
  const w = new World({ status: 'ended', edge: 1 });
  await w.pass(3);
  assert.equal(w.phase, 'ended');
  assert.equal(w.engines.length, 0);
});

test('a show that vanishes with its server is on its way back for a minute', async () => {
  const w = new World(null);
  w.answer = running(w);
  await w.playing();
  w.moving = false;
  w.answer = { status: 'absent' };
  await w.pass(10);
  assert.equal(w.phase, 'interrupted');
  assert.ok(w.engine.destroyed);
  await w.pass(70);
  assert.equal(w.phase, 'ended');
});

test('a viewer who pauses is left in peace', async () => {
  const w = new World(null);
  w.answer = running(w);
  await w.playing();
  w.video.paused = true;
  await w.pass(60);
  assert.equal(w.phase, 'paused');
  assert.equal(w.engines.length, 1);
  w.video.paused = false;
  await w.pass(1);
  assert.equal(w.phase, 'playing');
});

test('a player that never shows anything is started anew', async () => {
  const w = new World(null);
  w.answer = running(w);
  await w.pass(30);
  assert.ok(w.engines.length >= 2);
  assert.ok(w.engines[0].destroyed);
});

test('a browser without a player is told so once', async () => {
  const w = new World(null);
  w.answer = running(w);
  w.unsupported = true;
  await w.pass(30);
  assert.equal(w.phase, 'unsupported');
  assert.equal(w.phases.filter((p) => p === 'unsupported').length, 1);
});

test('speed follows the distance to the edge', async () => {
  const w = new World(null);
  w.answer = running(w);
  await w.playing();
  await w.pass(3); // the start is over
  w.engine.measured = { latency: 2, target: 1.05, ahead: 1.8 };
  await w.pass(1);
  assert.ok(w.video.playbackRate > 1);
  w.engine.measured = { latency: 1.06, target: 1.05, ahead: 0.9 };
  await w.pass(1);
  assert.equal(w.video.playbackRate, 1);
  w.engine.measured = { latency: 30, target: 1.05, ahead: 28 };
  await w.pass(tickMs / 1000);
  assert.equal(w.engine.jumps, 1);
});

test('after the host’s return, the old distance is there at once', async () => {
  const w = new World(null);
  w.answer = running(w);
  await w.playing();
  await w.pass(5);
  w.moving = false;
  w.answer = standing;
  w.engine.edgeNow = standing.edge;
  await w.pass(8);
  assert.equal(w.phase, 'interrupted');
  w.engine.measured = { latency: 2.2, target: 1.05, ahead: 2 };
  w.moving = true;
  await w.pass(tickMs / 1000);
  assert.equal(w.engine.jumps, 1);
  await w.pass(1);
  assert.equal(w.engine.jumps, 1, 'once');
});
