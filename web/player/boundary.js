// When hls.js may change to another size without touching what is on the screen.
//
// hls.js 1.7 loads a new level from the newest part at or before the end of its buffer that begins with a
// keyframe. At a low latency that is mostly behind the play head, and the buffer is a second: what is on the screen is
// replaced, and stands still until the next keyframe. So a change waits until the buffer's end is in a segment
// that has not begun to play: the new level then begins ahead of the play head, at that segment's start.

import { bufferEndOf } from './buffer.js';

const aheadSeconds = 0.1; // how far ahead of the play head the new level has to begin
const insideSeconds = 0.02; // buffers end some microseconds before the segments they hold
const starvingSeconds = 0.2; // with less in hand, anything is better than waiting

// mayChange says whether a change of level would begin ahead of the play head. segments are those of the
// level that plays, with start and duration, in media time.
export function mayChange({ position, bufferEnd, segments }) {
  if (!(bufferEnd > position + starvingSeconds)) return true;
  const last = segments.findLast((s) => s.start < bufferEnd - insideSeconds);
  return !last || last.start >= position + aheadSeconds;
}

// atBoundaries makes of hls.js's choice of level one that waits for such a moment.
export function atBoundaries(AbrController) {
  return class extends AbrController {
    get nextAutoLevel() {
      const { hls } = this;
      const current = hls?.loadLevel ?? -1;
      const details = hls?.levels?.[current]?.details;
      if (!details?.live || !details.partList || !hls.media?.currentTime) return super.nextAutoLevel;
      const segments = details.fragmentHint ? [...details.fragments, details.fragmentHint] : details.fragments;
      const { media } = hls;
      // hls.js notes by the level's number which segments it has. When numbers have changed (renditions-hls.js), a new level would be
      // taken to have what another one loaded: so it begins behind that.
      if (this.numbered !== hls.levels) {
        this.notBefore = this.numbered ? bufferEndOf(media) + details.targetduration : 0;
        this.numbered = hls.levels;
      }
      if (media.currentTime < this.notBefore) return current;
      if (mayChange({ position: media.currentTime, bufferEnd: bufferEndOf(media), segments })) return super.nextAutoLevel;
      return current;
    }

    set nextAutoLevel(level) {
      super.nextAutoLevel = level;
    }
  };
}
