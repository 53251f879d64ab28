// hls.js behind the face of engine.js.

import { atBoundaries } from './boundary.js';
import { inHand } from './buffer.js';
import { edgeOf } from './probe.js';
import { followHls } from './renditions-hls.js';

// The server's PART-HOLD-BACK sets the distance to the edge: no liveSync... setting may override it. Speed is
// the page's (pace.js), and so is what a stall costs: hls.js would keep every viewer a second further back
// for good after a host's own interruption.
const settings = {
  lowLatencyMode: true,
  liveDurationInfinity: true,
  liveSyncOnStallIncrease: 0,
  maxLiveSyncPlaybackRate: 1,
  backBufferLength: 30,
  // Parts of CMAF pass through as they are: a worker would only add a hop.
  enableWorker: false,
  enableInterstitialPlayback: false,
  // The overlay listens to events. Text tracks of cues would cost time, and break the page's security policy.
  enableDateRangeMetadataCues: false,
  enableEmsgMetadataCues: false,
  enableID3MetadataCues: false,
  capLevelToPlayerSize: true,
  // A single part that did not come would keep a viewer from that size for the rest of the show.
  errorPenaltyExpireMs: 10_000,
};

// loadLibrary may be called again; it loads once.
export const loadLibrary = async (assets) => (await import(`${assets}dist/hls.min.mjs`)).default;

export async function hlsEngine(video, url, assets, on, voice) {
  const Hls = await loadLibrary(assets);
  if (!Hls.isSupported()) throw new Error('no Media Source Extensions in this browser');
  const audioPreference = voice ? { lang: voice.language, ...voice.name && { name: voice.name } } : undefined;
  const hls = new Hls({ ...settings, audioPreference, abrController: atBoundaries(Hls.DefaultConfig.abrController) });
  const { Events, ErrorTypes } = Hls;
  hls.on(Events.ERROR, (_, e) => {
    if (!e.fatal) return;
    const kind = { [ErrorTypes.NETWORK_ERROR]: 'network', [ErrorTypes.MEDIA_ERROR]: 'media' }[e.type] ?? 'other';
    troubled = kind;
    on.trouble(kind, e.details);
  });
  hls.on(Events.MEDIA_ENDED, () => on.ended());
  let troubled = null;
  const renditions = followHls(hls, Hls);
  hls.loadSource(url);
  hls.attachMedia(video);

  return {
    player: hls,
    paced: true,
    renditions,
    measure() {
      const target = hls.targetLatency;
      return target && hls.latency ? { latency: hls.latency, target, ahead: inHand(video) } : null;
    },
    date: () => hls.playingDate?.getTime() ?? null,
    edge() {
      const details = hls.latestLevelDetails;
      if (!details) return null;
      return edgeOf(details.endSN + 1, details.lastPartSn > details.endSN ? details.lastPartIndex + 1 : 0);
    },
    toLive() {
      const edge = hls.liveSyncPosition;
      if (edge !== null) video.currentTime = edge;
    },
    recover() {
      const kind = troubled;
      troubled = null;
      if (kind === 'media' || kind === null) hls.recoverMediaError();
      hls.startLoad(-1);
    },
    destroy() {
      renditions.stop();
      hls.destroy();
    },
  };
}
