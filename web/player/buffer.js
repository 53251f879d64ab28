// What a video element has in its buffer.

const tolerance = 0.1; // a play head that has just been moved may be that far before what it is going to play

// bufferEndOf is the end of what is buffered from the play head on, or the play head where nothing is.
export function bufferEndOf(media) {
  const { buffered, currentTime } = media;
  for (let i = 0; i < buffered.length; i++) {
    if (buffered.start(i) <= currentTime + tolerance && currentTime < buffered.end(i)) return buffered.end(i);
  }
  return currentTime;
}

// inHand is how many seconds from the play head on are buffered.
export const inHand = (media) => bufferEndOf(media) - media.currentTime;
