// The players behind the page, behind one face:
//
//   engine.player       the library's own object, for tests and the console; null for the browser's own player
//   engine.measure()    { latency, target, ahead } in seconds, or null if it can't tell
//   engine.date()       wall time of the picture, in milliseconds, by EXT-X-PROGRAM-DATE-TIME; or null
//   engine.edge()       how far the player knows the playlist, by probe.js's edgeOf, or null
//   engine.paced        true if the page sets the speed, false if the player does
//   engine.renditions   what the show is offered in, and the choice of a voice (renditions.js); null if the player has it to itself
//   engine.toLive()     jumps to where a viewer who joined now would start
//   engine.recover()    tries to go on after trouble without starting anew
//   engine.destroy()    lets go of everything
//
// A library that gives up calls on.trouble(kind, detail) with 'network', 'media' or 'other'; one that is at
// the show's end calls on.ended().

// chooseEngine says which player suits: Safari has the best one for itself, everyone else gets hls.js.
// wanted is the page's ?player= parameter.
export function chooseEngine(wanted, win = globalThis) {
  if (['hls', 'shaka', 'native'].includes(wanted)) return wanted;
  // Only WebKit has this event. Chromium also says that it can play HLS, but knows whole segments only.
  if ('WebKitPlaybackTargetAvailabilityEvent' in win) return 'native';
  return 'hls';
}

// prepare fetches what a player of the kind needs while the page still asks how the show stands. Its failure is
// makeEngine's to report.
export function prepare(kind, assets) {
  if (kind === 'hls') import('./engine-hls.js').then((m) => m.loadLibrary(assets)).catch(() => {});
  if (kind === 'shaka') import('./engine-shaka.js').then((m) => m.loadLibrary(assets)).catch(() => {});
}

// makeEngine resolves to a running player of the kind, or rejects if the browser can't run it. voice is { language, name } of the
// voice to begin with, if the show has it; null for the show's own.
export async function makeEngine(kind, video, url, assets, on, voice = null) {
  if (kind === 'native') return nativeEngine(video, url, on);
  if (kind === 'shaka') return (await import('./engine-shaka.js')).shakaEngine(video, url, assets, on, voice);
  return (await import('./engine-hls.js')).hlsEngine(video, url, assets, on, voice);
}

function nativeEngine(video, url, on) {
  if (!video.canPlayType('application/vnd.apple.mpegurl')) throw new Error('no HLS in this browser');
  const failed = () => {
    const kind = video.error?.code === MediaError.MEDIA_ERR_NETWORK ? 'network' : 'media';
    on.trouble(kind, video.error?.message ?? '');
  };
  const ended = () => on.ended();
  video.addEventListener('error', failed);
  video.addEventListener('ended', ended);
  video.src = url;
  return {
    player: null,
    paced: false,
    renditions: null,
    measure: () => null,
    edge: () => null,
    date() {
      const start = video.getStartDate?.().getTime(); // Safari
      return Number.isFinite(start) ? start + video.currentTime * 1000 : null;
    },
    toLive() {
      if (video.seekable.length) video.currentTime = video.seekable.end(video.seekable.length - 1);
    },
    recover: () => video.load(),
    destroy() {
      video.removeEventListener('error', failed);
      video.removeEventListener('ended', ended);
      video.removeAttribute('src');
      video.load();
    },
  };
}
