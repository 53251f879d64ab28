import assert from 'node:assert/strict';
import { gzipSync } from 'node:zlib';
import test from 'node:test';
import { readFileSync } from 'node:fs';
import { buildOverlay } from '../overlay/build.mjs';

const most = 6 * 1024;

test('the script with all that hls.js, Shaka and native HLS need is less than 6 KiB, gzipped; so is the card', async (t) => {
  for (const [name, bytes] of Object.entries(await buildOverlay(null))) {
    const size = gzipSync(bytes).length;
    t.diagnostic(`${name}: ${size} bytes gzipped`);
    assert.ok(size < most, `${name} has ${size} bytes: at most ${most - 1}`);
  }
});

test('the package names what it has, and needs nothing', () => {
  const pack = JSON.parse(readFileSync(new URL('../overlay/package.json', import.meta.url)));
  assert.equal(pack.dependencies, undefined);
  for (const { types } of Object.values(pack.exports)) readFileSync(new URL(`../overlay/${types}`, import.meta.url));
  readFileSync(new URL('../overlay/README.md', import.meta.url));
});
