// Shaka Player behind the face of engine.js.

import { inHand } from './buffer.js';
import { waitForSegment } from './complete.js';
import { followShaka } from './renditions-shaka.js';

const settings = {
  streaming: {
    lowLatencyMode: true,
    bufferBehind: 30,
    // It has its own speed control. Its latency begins where PART-HOLD-BACK, its presentation delay, ends.
    liveSync: { enabled: true, targetLatency: 0.1, targetLatencyTolerance: 0.1, maxPlaybackRate: 1.1, minPlaybackRate: 0.96 },
    // A host may be away for as long as the server's reconnect window.
    retryParameters: { maxAttempts: 8, timeout: 30_000, stallTimeout: 0, connectionTimeout: 0 },
  },
  manifest: {
    retryParameters: { maxAttempts: 8, timeout: 30_000, stallTimeout: 0, connectionTimeout: 0 },
    // The page shows no captions. Where the server does not rule them out, Shaka 5.2.12 would load three segments to look for some
    // before anything else, and give up in a show's first seconds, when one of those is still open.
    hls: { disableClosedCaptionsDetection: true },
  },
  mediaSource: { dispatchAllEmsgBoxes: true },
};

export async function shakaEngine(video, url, assets, on, voice) {
  const [shaka, { straighten }] = await Promise.all([loadLibrary(assets), import(`${assets}dist/cues.js`)]);
  mendOffsets(globalThis.SourceBuffer?.prototype);
  shaka.polyfill.installAll();
  if (!shaka.Player.isBrowserSupported()) throw new Error('no Media Source Extensions in this browser');
  const player = new shaka.Player();
  await player.attach(video);
  player.configure(settings);
  if (voice) player.configure('preferredAudio', [{ language: voice.language, label: voice.name ?? '' }]);
  const dates = straighten(player);
  waitForSegment(player);
  const renditions = followShaka(player);
  player.addEventListener('error', ({ detail: e }) => {
    if (e.severity !== shaka.util.Error.Severity.CRITICAL) return;
    const { NETWORK, MEDIA } = shaka.util.Error.Category;
    on.trouble({ [NETWORK]: 'network', [MEDIA]: 'media' }[e.category] ?? 'other', `Shaka error ${e.code}`);
  });
  const ended = () => on.ended();
  video.addEventListener('ended', ended);
  player.load(url).catch((e) => {
    if (e.code !== shaka.util.Error.Code.LOAD_INTERRUPTED) on.trouble('network', `Shaka error ${e.code ?? e}`);
  });
  return {
    player,
    paced: false,
    renditions,
    measure() {
      const latency = player.getStats().liveLatency;
      return player.isLive() && Number.isFinite(latency) ? { latency, target: latency, ahead: inHand(video) } : null;
    },
    date: () => dates.dateAt(video.currentTime),
    edge: () => null,
    toLive: () => player.goToLive(),
    recover: () => player.retryStreaming(),
    destroy() {
      renditions.stop();
      video.removeEventListener('ended', ended);
      return player.destroy();
    },
  };
}

// mendOffsets keeps Shaka 5.2.12 from losing parts. It adds a millisecond to a negative timestamp offset when it
// sets one (setTimestampOffset_, for an old Edge), and at the next append it compares what it reads back with what
// it wanted: a millisecond of difference, up to rounding, makes it reset the buffer, and the browser drops all
// pictures up to the next keyframe. A live show's offsets are negative as soon as its window has begun to slide.
// So Shaka reads back what it wanted.
export function mendOffsets(prototype) {
  const { get, set } = Object.getOwnPropertyDescriptor(prototype ?? {}, 'timestampOffset') ?? {};
  if (!get || get.mended) return;
  const mended = function timestampOffset() {
    const offset = get.call(this);
    return offset < 0 ? offset - 0.001 : offset;
  };
  mended.mended = true;
  Object.defineProperty(prototype, 'timestampOffset', { configurable: true, enumerable: true, get: mended, set });
}

// Shaka comes as a classic script that leaves a global behind.
let library = null;

// loadLibrary may be called again; it loads once, unless that failed.
export function loadLibrary(assets) {
  library ??= new Promise((done, failed) => {
    const script = document.createElement('script');
    script.src = `${assets}dist/shaka-player.min.js`;
    script.onload = () => done(globalThis.shaka);
    script.onerror = () => {
      library = null;
      failed(new Error(`${script.src} could not be loaded`));
    };
    document.head.append(script);
  });
  return library;
}
