import assert from 'node:assert/strict';
import test from 'node:test';
import { mendOffsets } from '../player/engine-shaka.js';

// A browser's source buffer, and what Shaka does to it (setTimestampOffset_).
class Buffer {
  get timestampOffset() { return this.offset; }
  set timestampOffset(x) { this.offset = x; }
}
const shakaSets = (buffer, wanted) => { buffer.timestampOffset = wanted < 0 ? wanted + 0.001 : wanted; };

test('Shaka reads back the offset that it wanted', () => {
  mendOffsets(Buffer.prototype);
  mendOffsets(Buffer.prototype); // again is no harm
  for (const wanted of [-31.989, -0.5, 0, 12.3]) {
    const buffer = new Buffer();
    shakaSets(buffer, wanted);
    assert.ok(Math.abs(buffer.timestampOffset - wanted) < 1e-6, `${wanted}: ${buffer.timestampOffset}`);
  }
});

test('a browser without source buffers is left alone', () => mendOffsets(undefined));
