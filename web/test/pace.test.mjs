import assert from 'node:assert/strict';
import test from 'node:test';
import { pace, Patience } from '../player/pace.js';

// play simulates a player for some seconds: what is ahead is what the edge has gained less the part that is
// still on its way.
function play({ latency, target, part = 0.34, seconds = 60 }) {
  const seen = { rates: new Set(), jumps: 0 };
  let rate = 1;
  const dt = 0.25;
  for (let t = 0; t < seconds; t += dt) {
    const age = (t % part);
    const next = pace({ latency, target, ahead: latency - age, rate });
    if (next.jump) { seen.jumps++; latency = target; continue; }
    rate = next.rate;
    seen.rates.add(rate);
    latency -= (rate - 1) * dt;
  }
  return { latency, rate, ...seen };
}

for (const [target, part] of [[0.65, 0.2134], [1.05, 0.3414], [3.1, 1.003]]) {
  test(`at its target of ${target} s, a player is left alone`, () => {
    const { latency, rates } = play({ latency: target + 0.05, target, part });
    assert.deepEqual([...rates], [1]);
    assert.equal(latency, target + 0.05);
  });
  test(`a player that is a second late comes back to ${target} s, and stays`, () => {
    const { latency, rate } = play({ latency: target + 1, target, part });
    assert.ok(Math.abs(latency - target) < 0.13, `${latency}`);
    assert.equal(rate, 1);
  });
  test(`a player that is too near goes back to ${target} s`, () => {
    const { latency, rates } = play({ latency: target - 0.4, target, part, seconds: 90 });
    assert.ok(Math.abs(latency - target) < 0.21, `${latency}`);
    assert.ok(Math.min(...rates) >= 0.96);
  });
}

test('never so fast that it can be heard', () => {
  const { rates } = play({ latency: 3.9, target: 1.05 });
  assert.ok(Math.max(...rates) <= 1.1);
});

test('too far behind for speed, it jumps', () => {
  assert.equal(play({ latency: 20, target: 1.05 }).jumps, 1);
});

test('nothing in hand, no hurry', () => {
  assert.deepEqual(pace({ latency: 2, target: 1, ahead: 0.2 }), { rate: 1 });
});

test('patience grows with stalls, has an end, and is forgotten', () => {
  const patience = new Patience({ step: 0.3, most: 0.9, forgetAfterMs: 1000 });
  assert.equal(patience.at(0), 0);
  for (let i = 0; i < 5; i++) patience.stalled(i);
  assert.equal(patience.at(5), 0.9);
  assert.ok(Math.abs(patience.at(1500) - 0.6) < 1e-9);
  assert.equal(patience.at(60_000), 0);
});

test('a picture that has only just appeared may jump to where it should be', () => {
  assert.deepEqual(pace({ latency: 2, target: 1, ahead: 1.7, fresh: true }), { jump: true });
  assert.equal(pace({ latency: 2, target: 1, ahead: 1.7 }).jump, undefined);
  assert.equal(pace({ latency: 2, target: 1, ahead: 1.2, fresh: true }).jump, undefined, 'what it leads to is not there');
});
