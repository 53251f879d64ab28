import assert from 'node:assert/strict';
import test from 'node:test';
import { atBoundaries, mayChange } from '../player/boundary.js';
import { bufferEndOf } from '../player/buffer.js';

const segments = [18, 20, 22, 24].map((start) => ({ start, duration: 2 }));

test('a change waits for a segment that has not begun to play', () => {
  const at = (position, bufferEnd) => mayChange({ position, bufferEnd, segments });
  assert.equal(at(20.3, 21.4), false, 'in the middle of the segment that plays');
  assert.equal(at(20.9, 21.999999), false, 'at its end, which is short of the next one by a rounding');
  assert.equal(at(21.2, 22.34), true, 'the next segment is in the buffer, and not on the screen');
  assert.equal(at(21.95, 22.6), false, 'it begins at once');
  assert.equal(at(22.1, 22.25), true, 'hardly anything is in hand');
  assert.equal(at(18.5, 24.5), true, 'a long buffer');
  assert.equal(mayChange({ position: 3, bufferEnd: 5, segments: [] }), true, 'nothing is known');
});

const ranges = (...list) => ({ length: list.length, start: (i) => list[i][0], end: (i) => list[i][1] });

test('the buffer ends where the range with the play head does', () => {
  assert.equal(bufferEndOf({ currentTime: 21, buffered: ranges([0, 5], [20, 22], [23, 24]) }), 22);
  assert.equal(bufferEndOf({ currentTime: 19.95, buffered: ranges([20, 22]) }), 22);
  assert.equal(bufferEndOf({ currentTime: 10, buffered: ranges([20, 22]) }), 10);
});

test('hls.js is asked only when the answer can be followed', () => {
  class Base {
    constructor(hls) { this.hls = hls; }
    get nextAutoLevel() { return this.forced ?? 2; }
    set nextAutoLevel(level) { this.forced = level; }
  }
  const media = { currentTime: 20.3, buffered: ranges([18, 21.4]) };
  const details = { live: true, partList: [], fragments: segments.slice(0, 2), fragmentHint: segments[2] };
  const hls = { loadLevel: 1, levels: [{}, { details }], media };
  const abr = new (atBoundaries(Base))(hls);
  assert.equal(abr.nextAutoLevel, 1);
  media.currentTime = 21.2;
  media.buffered = ranges([18, 22.34]);
  assert.equal(abr.nextAutoLevel, 2);
  abr.nextAutoLevel = 0;
  assert.equal(abr.nextAutoLevel, 0);
  media.currentTime = 20.3;
  media.buffered = ranges([18, 21.4]);
  details.live = false;
  assert.equal(abr.nextAutoLevel, 0, 'a show that is over has no such trouble');
  hls.levels = [];
  assert.equal(abr.nextAutoLevel, 0, 'nothing plays yet');
});

test('when levels have new numbers, a change waits until what is buffered has been played', () => {
  class Abr { get nextAutoLevel() { return 0; } }
  const Waiting = atBoundaries(Abr);
  const details = { live: true, partList: [], fragments: [{ start: 0, duration: 20 }, { start: 20, duration: 2 }], targetduration: 2 };
  const media = { currentTime: 10, buffered: { length: 1, start: () => 5, end: () => 21 } };
  const abr = new Waiting();
  abr.hls = { loadLevel: 1, levels: [{ details }, { details }], media };
  assert.equal(abr.nextAutoLevel, 0);
  abr.hls.levels = [...abr.hls.levels];
  assert.equal(abr.nextAutoLevel, 1);
  media.currentTime = 22.9;
  assert.equal(abr.nextAutoLevel, 1);
  media.currentTime = 23.1;
  assert.equal(abr.nextAutoLevel, 0);
});
