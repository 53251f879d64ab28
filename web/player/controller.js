// Runs a show on the page from before its start to its end: asks how the show stands, starts a player when
// there is something to play, watches that the picture moves, finds out why when it does not, and gets it
// going again. It knows no element but the video, and no player but through engine.js.
//
// Phases, which main.js turns into words:
//   looking      nothing is known yet
//   waiting      the show has not started
//   starting     a player is loading
//   playing      the picture moves
//   paused       the viewer has stopped it
//   buffering    it does not move, though the show goes on: the viewer's own connection
//   interrupted  it does not move because nothing new comes from the host
//   offline      the server can't be reached
//   ended        the show is over; another one may come
//   unsupported  this browser can't play it

import { pace, Patience } from './pace.js';

export const tickMs = 250;

const stalledAfterMs = 1200; // a picture that stands still for longer gets a reason
const freshMs = 2500; // how long a picture has only just (re)appeared (pace.js)
const startWithinMs = 12_000; // a player that shows nothing for so long is started anew
const helpAfterMs = 6000; // how long a player may be stuck though media comes, before it gets help
const returnWithinMs = 60_000; // how long a show that has vanished may be on its way back
const pollMs = { busy: 2000, idle: 5000, hidden: 15_000 };
const eagerForMs = 120_000; // after that, nobody is in a hurry any more

export class Controller {
  // probe is what makeProbe returns. start(on) resolves to an engine, with the video told to play; play()
  // tells it again. onPhase(phase) and onEngine(engine or null) are called at each change. The rest is there
  // for tests.
  constructor({ video, probe, start, play, onPhase, onEngine, now = () => performance.now(), random = Math.random, hidden = () => document.hidden }) {
    Object.assign(this, { video, probe, start, play, onPhase, onEngine, now, random, hidden });
    this.phase = 'looking';
    this.engine = null;
    this.starting = false;
    this.generation = 0; // of engines: answers that come late for an older one don't count
    this.patience = new Patience();
    this.stalls = 0;
    this.lastLive = -Infinity; // when the show was last known to run
    this.phaseSince = now();
    this.nextProbe = 0;
    this.probing = false;
    this.reset();
  }

  // run ticks until stop is called.
  run() {
    this.timer = setInterval(() => this.tick(), tickMs);
    this.tick();
  }

  stop() {
    clearInterval(this.timer);
    this.drop();
  }

  reset() {
    const now = this.now();
    this.position = -1;
    this.moved = now; // when the picture last moved
    this.shown = false; // has this engine shown a picture
    this.freshUntil = Infinity; // until when its coming is news
    this.helped = 0; // how often, since it last moved
    this.edge = null; // as probed since the picture stopped, to see whether media comes
    this.edgeMoved = -Infinity;
    this.comesSince = null; // when media was first seen to come though the picture stands still
    this.over = false; // the player says that the show is over
  }

  tick() {
    if (this.phase === 'unsupported') return;
    if (this.engine) this.watch();
    else if (!this.starting) this.look();
  }

  // look waits for a show to begin.
  look() {
    this.ask((answer) => {
      const was = this.lastLive;
      const recently = this.now() - was < returnWithinMs;
      if (answer.status === 'live') return void this.begin();
      if (answer.status === 'unreachable') return this.enter('offline');
      if (answer.status === 'ended') return this.enter('ended');
      if (was === -Infinity) return this.enter(this.phase === 'ended' ? 'ended' : 'waiting');
      this.enter(this.phase !== 'ended' && recently ? 'interrupted' : 'ended');
    });
  }

  // watch sees to it that a player plays.
  watch() {
    const { video } = this;
    const now = this.now();
    if (video.paused && !video.ended) {
      if (this.shown) this.enter('paused');
      this.moved = now;
      return;
    }
    if (video.currentTime !== this.position && video.readyState >= 2) {
      const first = this.position === -1;
      this.position = video.currentTime;
      if (!first) {
        this.moved = now;
        this.lastLive = now;
        if (!this.shown || ['interrupted', 'offline'].includes(this.phase)) this.freshUntil = now + freshMs;
        this.shown = true;
        this.helped = 0;
        this.edge = null;
        this.comesSince = null;
        this.enter('playing');
      }
      this.keepPace(now);
      return;
    }
    const still = now - this.moved;
    if (!this.shown) {
      this.enter('starting');
      if (still > startWithinMs) this.restart();
      else if (still > startWithinMs / 3) this.ask((answer) => this.judge(answer));
      return;
    }
    if (this.over || video.ended) return this.finish();
    if (still > stalledAfterMs) this.ask((answer) => this.judge(answer));
  }

  // judge says why the picture stands still, and does what can be done.
  judge(answer) {
    const now = this.now();
    const still = now - this.moved;
    if (still <= stalledAfterMs) return; // it moves again
    if (answer.status === 'unreachable') return this.enter('offline');
    if (answer.status === 'ended') return this.finish();
    if (answer.status === 'absent') {
      this.drop();
      return this.enter(this.shown ? 'interrupted' : 'waiting');
    }
    this.lastLive = now;
    const before = this.edge ?? this.engine.edge();
    this.edge = Math.max(answer.edge, before ?? 0);
    if (before === null) return; // the next answer will tell
    if (answer.edge <= before) {
      if (now - this.edgeMoved > 2 * pollMs.busy) this.enter(this.shown ? 'interrupted' : 'starting');
      return;
    }
    this.edgeMoved = now;
    this.comesSince ??= now;
    if (this.phase === 'playing') {
      this.stalls++;
      this.patience.stalled(now);
    }
    if (this.shown) this.enter('buffering');
    if (now - this.comesSince >= helpAfterMs) this.help();
  }

  // help gets a player going that is stuck: gently, then by starting it anew.
  help() {
    this.helped++;
    this.comesSince = this.now();
    if (this.helped > 1) return this.restart();
    this.engine.recover();
    this.play();
  }

  // trouble is a player that has given up.
  trouble(kind, detail) {
    console.warn(`pushcart: ${kind} trouble: ${detail}`);
    if (kind === 'media' && this.engine) return this.help();
    this.restart();
  }

  finish() {
    this.drop();
    this.enter('ended');
  }

  async begin() {
    const mine = ++this.generation;
    this.starting = true;
    this.reset();
    this.enter('starting');
    const current = (f) => (...args) => { if (mine === this.generation) f(...args); };
    try {
      const engine = await this.start({
        trouble: current((kind, detail) => this.trouble(kind, detail)),
        ended: current(() => { this.over = true; }),
      });
      if (mine !== this.generation) return void engine.destroy();
      this.engine = engine;
      this.moved = this.now();
      this.onEngine(engine);
    } catch (e) {
      console.error('pushcart:', e);
      if (mine === this.generation) this.enter('unsupported');
    } finally {
      if (mine === this.generation) this.starting = false;
    }
  }

  // drop lets go of the player; the next tick looks how the show stands.
  drop() {
    this.generation++;
    this.starting = false;
    this.engine?.destroy();
    this.engine = null;
    this.onEngine(null);
  }

  // restart starts the player anew: with some patience if it was in trouble, or at once.
  restart(atOnce = false) {
    this.drop();
    if (atOnce) return void this.begin();
    this.nextProbe = Math.max(this.nextProbe, this.now() + 500);
  }

  // toLive goes to where a viewer who came now would be.
  toLive() {
    this.engine?.toLive();
  }

  keepPace(now) {
    const { engine, video } = this;
    const measured = engine.paced && engine.measure();
    if (!measured || video.seeking) return;
    const target = measured.target + this.patience.at(now);
    const { rate, jump } = pace({ ...measured, target, rate: video.playbackRate, fresh: now < this.freshUntil });
    if (jump) {
      this.freshUntil = 0;
      engine.toLive();
    } else if (rate !== video.playbackRate) video.playbackRate = rate;
  }

  // ask probes, gently: one question at a time, and not at the same moment as every other viewer.
  async ask(then) {
    const now = this.now();
    if (this.probing || now < this.nextProbe) return;
    this.probing = true;
    const mine = this.generation;
    const answer = await this.probe();
    this.probing = false;
    const eager = this.engine || this.now() - this.phaseSince < eagerForMs;
    const every = this.hidden() ? pollMs.hidden : eager ? pollMs.busy : pollMs.idle;
    this.nextProbe = this.now() + every * (0.8 + 0.4 * this.random());
    if (mine === this.generation) then(answer);
  }

  enter(phase) {
    if (phase === this.phase) return;
    this.phase = phase;
    this.phaseSince = this.now();
    this.onPhase(phase);
  }
}
