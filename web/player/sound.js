// Starts a show with sound where the browser lets it, else muted: most browsers allow sound only after
// the viewer has touched the page, or has often watched here before.

// startPlaying resolves to 'sound', 'muted' (the browser refused sound) or 'refused' (it refused to play at
// all, as phones do in power saving mode). A viewer who has muted by hand stays muted.
export async function startPlaying(video, { quiet = false } = {}) {
  video.muted = quiet;
  try {
    await video.play();
    return quiet ? 'muted' : 'sound';
  } catch (e) {
    if (e.name === 'AbortError') return quiet ? 'muted' : 'sound'; // a new source came in between; it plays on
    if (e.name !== 'NotAllowedError') throw e;
  }
  if (!video.muted) {
    video.muted = true;
    try {
      await video.play();
      return 'muted';
    } catch (e) {
      if (e.name === 'AbortError') return 'muted';
      if (e.name !== 'NotAllowedError') throw e;
    }
  }
  return 'refused';
}
