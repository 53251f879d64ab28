import assert from 'node:assert/strict';
import test from 'node:test';
import { latencyText, showName, titleOf, wordsFor } from '../player/format.js';
import { chooseEngine } from '../player/engine.js';
import { startPlaying } from '../player/sound.js';

test('names', () => {
  assert.equal(showName('/live/summer-sale/'), 'summer-sale');
  assert.equal(showName('/live/caf%C3%A9/'), 'café');
  assert.equal(showName('/live/100%/'), '100%');
  assert.equal(titleOf('summer-sale_2'), 'Summer sale 2');
});

test('latency is the true one, unless the viewer’s clock is wrong', () => {
  assert.equal(latencyText(1.34, 1.05), '1.3 s behind live');
  assert.equal(latencyText(-400, 1.05), '1.1 s behind live');
  assert.equal(latencyText(321, 1.05), '1.1 s behind live');
  assert.equal(latencyText(2.2, NaN), '2.2 s behind live');
  assert.equal(latencyText(NaN, NaN), '');
});

test('every phase has words', () => {
  for (const phase of ['looking', 'waiting', 'starting', 'buffering', 'interrupted', 'offline', 'ended', 'unsupported', 'missing']) {
    assert.ok(wordsFor(phase)[0].length > 3, phase);
  }
});

test('Safari plays by itself, everyone else by hls.js, and the address may ask for another', () => {
  assert.equal(chooseEngine(null, { WebKitPlaybackTargetAvailabilityEvent: 1 }), 'native');
  assert.equal(chooseEngine(null, {}), 'hls');
  assert.equal(chooseEngine('shaka', {}), 'shaka');
  assert.equal(chooseEngine('anything', {}), 'hls');
});

// browser is a video element whose browser allows only what it is told to.
function browser({ sound, muted }) {
  return {
    muted: false,
    async play() {
      if (this.muted ? muted : sound) return;
      throw Object.assign(new Error('no'), { name: 'NotAllowedError' });
    },
  };
}

test('sound where it is allowed, muted where not, and a word when nothing is', async () => {
  const free = browser({ sound: true, muted: true });
  assert.equal(await startPlaying(free), 'sound');
  assert.equal(free.muted, false);
  const usual = browser({ sound: false, muted: true });
  assert.equal(await startPlaying(usual), 'muted');
  assert.equal(usual.muted, true);
  assert.equal(await startPlaying(browser({ sound: false, muted: false })), 'refused');
  const quiet = browser({ sound: true, muted: true });
  assert.equal(await startPlaying(quiet, { quiet: true }), 'muted');
  assert.equal(quiet.muted, true);
});
