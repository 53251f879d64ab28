import assert from 'node:assert/strict';
import test from 'node:test';
import { Timeline } from '../overlay/timeline.js';

// timeline hears marks in a short form: [id, rev, slot, start, end] in seconds, as date ranges say them.
function timeline(...marks) {
  const t = new Timeline();
  for (const [id, rev, slot, start, end = null] of marks) hear(t, id, rev, slot, start, end);
  return t;
}
function hear(t, id, rev, slot, start, end = null, asOf = end === null ? -Infinity : Infinity) {
  t.hear({ id, rev, kind: 'product', slot, start: start * 1000, end: end === null ? null : end * 1000, hash: '', asOf });
}
const up = (t, at, half) => t.at(at * 1000, half).map((m) => `${m.slot}:${m.id}.${m.rev}`).sort().join(' ');

test('a cue is up from its first frame to the one before its end', () => {
  const t = timeline(['wig', 1, 'main', 10, 13]);
  for (const [at, want] of [[9.9, ''], [10, 'main:wig.1'], [12.999, 'main:wig.1'], [13, ''], [99, '']]) assert.equal(up(t, at), want, `at ${at}`);
});

test('half a frame early is in time: dates are cut to milliseconds', () => {
  const t = timeline(['wig', 1, 'main', 10, 13]);
  assert.equal(up(t, 9.985, 16), 'main:wig.1');
  assert.equal(up(t, 9.98, 16), '');
  assert.equal(up(t, 12.985, 16), '');
});

test('in a slot the one that began last is up, whatever the end of the other says', () => {
  const t = timeline(['a', 1, 'main', 0], ['b', 1, 'main', 3], ['aside', 1, 'side', 1]);
  assert.equal(up(t, 2), 'main:a.1 side:aside.1');
  assert.equal(up(t, 3), 'main:b.1 side:aside.1');
  hear(t, 'b', 1, 'main', 3, 6);
  assert.equal(up(t, 6), 'side:aside.1', 'a was ended by b: it does not come back by itself');
});

test('order of hearing does not matter', () => {
  const marks = [['a', 1, 'main', 0, 3], ['b', 1, 'main', 3], ['b', 2, 'main', 4], ['c', 1, 'main', 5]];
  for (const order of [[0, 1, 2, 3], [3, 2, 1, 0], [2, 0, 3, 1]]) {
    const t = timeline(...order.map((i) => marks[i]), ...marks);
    assert.deepEqual([1, 3, 4.5, 6].map((at) => up(t, at)), ['main:a.1', 'main:b.1', 'main:b.2', 'main:c.1']);
  }
});

test('the higher revision counts from its own start, and may have another slot', () => {
  const t = timeline(['a', 1, 'main', 0], ['a', 2, 'side', 5]);
  assert.equal(up(t, 4), 'main:a.1');
  assert.equal(up(t, 5), 'side:a.2');
});

test('a withdrawn revision is nowhere, and lets the one before it be', () => {
  const t = timeline(['a', 1, 'main', 0], ['b', 1, 'main', 5]);
  hear(t, 'b', 1, 'main', 5, 5);
  assert.equal(up(t, 6), 'main:a.1');
  assert.deepEqual(t.after(0, 60_000, 9), []);
});

test('the newest word on an end counts, and a closed date range is the last word', () => {
  const t = timeline(['a', 1, 'main', 0]);
  hear(t, 'a', 1, 'main', 0, 60, 0); // in band, at its start: planned for a minute
  assert.equal(up(t, 20), 'main:a.1');
  hear(t, 'a', 1, 'main', 0, 10, 8000); // a snapshot of second 8: displaced at 10
  assert.equal(up(t, 20), '');
  hear(t, 'a', 1, 'main', 0, 60, 0); // the first message again, after a seek
  assert.equal(up(t, 20), '');
  hear(t, 'a', 1, 'main', 0, 12);
  hear(t, 'a', 1, 'main', 0, 30, 29_000);
  assert.equal(up(t, 11), 'main:a.1');
  assert.equal(up(t, 13), '');
});

test('a snapshot ends what no date range speaks for', () => {
  const t = timeline(['ranged', 1, 'main', 0]);
  hear(t, 'banded', 1, 'side', 0, null, 0);
  t.snapshot(new Set(['ranged.1', 'banded.1']), 4000);
  assert.equal(up(t, 5), 'main:ranged.1 side:banded.1');
  t.snapshot(new Set(), 6000);
  assert.equal(up(t, 7), 'main:ranged.1');
  assert.equal(up(t, 5), 'main:ranged.1 side:banded.1', 'before it, it was up');
});

test('nonsense is not heard', () => {
  const t = timeline(['../x', 1, 'main', 0], ['a', 0, 'main', 0], ['a', NaN, 'main', 0], ['a', 1, 'main', NaN]);
  assert.equal(up(t, 1), '');
});

test('what comes next, soonest first', () => {
  const t = timeline(['c', 1, 'main', 30], ['a', 1, 'main', 10], ['b', 1, 'main', 20], ['past', 1, 'main', 1]);
  assert.deepEqual(t.after(5000, 20_000, 9).map((m) => m.id), ['a', 'b']);
  assert.deepEqual(t.after(5000, 60_000, 1).map((m) => m.id), ['a']);
});

test('a long show keeps what is up, and forgets what ended first', () => {
  const t = timeline(['old', 1, 'side', 0]);
  for (let n = 1; n < 10_000; n++) hear(t, `p${n}`, 1, 'main', n * 3, n * 3 + 3);
  assert.equal(up(t, 29_998), 'main:p9999.1 side:old.1');
  assert.equal(up(t, 10), 'side:old.1');
});

// Random shows, heard in any order, with repetitions: what is up is what a plain model says.
test('random shows', () => {
  let seed = 1;
  const random = (n) => { seed = (seed * 1103515245 + 12345) % 2147483648; return seed % n; };
  for (let show = 0; show < 200; show++) {
    const tags = [];
    const model = [];
    let at = 0;
    for (let n = 0; n < 20; n++) {
      at += 1 + random(5);
      const slot = ['main', 'side'][random(2)];
      for (const m of model) if (m.slot === slot) m.end = Math.min(m.end, at);
      model.push({ id: `c${n}`, slot, start: at, end: random(3) ? Infinity : at + 1 + random(20) });
    }
    for (const m of model) {
      tags.push([m.id, 1, m.slot, m.start]);
      if (m.end < Infinity) tags.push([m.id, 1, m.slot, m.start, m.end]);
    }
    for (let i = tags.length; i < 60; i++) tags.push(tags[random(tags.length)]);
    for (let i = tags.length - 1; i > 0; i--) { const j = random(i + 1); [tags[i], tags[j]] = [tags[j], tags[i]]; }
    const t = timeline(...tags);
    for (let now = 0; now < at + 30; now += 0.5) {
      const want = model.filter((m) => m.start <= now && now < m.end).map((m) => `${m.slot}:${m.id}.1`).sort().join(' ');
      assert.equal(up(t, now), want, `show ${show} at ${now}`);
    }
  }
});
