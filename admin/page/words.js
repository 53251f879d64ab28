// What the API says in numbers, for people. Pure.

// bits writes a bit rate.
export function bits(rate) {
  if (!(rate > 0)) return '';
  return rate >= 999_500 ? `${(rate / 1e6).toFixed(1)} Mb/s` : `${Math.round(rate / 1000)} kb/s`;
}

// age writes a span of milliseconds.
export function age(ms) {
  const s = Math.max(0, Math.round(ms / 1000));
  if (s < 120) return `${s} s`;
  if (s < 7200) return `${Math.round(s / 60)} min`;
  return `${Math.floor(s / 3600)} h ${Math.floor(s % 3600 / 60)} min`;
}

export const frames = (rate) => (rate ? String(Math.round(rate * 10) / 10) : '');

export const sizeOf = ({ width, height }) => (width ? `${width}×${height}` : '');

const codecs = { h264: 'H.264', hevc: 'HEVC', av1: 'AV1', vp9: 'VP9', aac: 'AAC', opus: 'Opus', mp3: 'MP3', pcma: 'G.711 A-law', pcmu: 'G.711 µ-law', g722: 'G.722', l16: 'PCM' };
const channels = (n) => ({ 1: 'mono', 2: 'stereo' }[n] ?? `${n} channels`);

// formatOf says what a track is made of.
export function formatOf({ codec, sample_rate: rate, channels: n }) {
  const parts = [codecs[codec] ?? codec];
  if (rate) parts.push(`${rate / 1000} kHz`);
  if (n) parts.push(channels(n));
  return parts.join(', ');
}

// trackName is what a person calls a track.
export function trackName({ kind, label, language, width, height }) {
  if (label) return language ? `${label} (${language})` : label;
  if (kind === 'video') return width ? `${Math.min(width, height)}p` : 'Picture';
  return language || 'Sound';
}

const sender = ({ contributors }, { id }) => contributors.find((c) => c.tracks.includes(id));

// sourceOf says who sends a track.
export const sourceOf = (show, track) => sender(show, track)?.role ?? 'host';

// incoming is the bit rate of what comes from elsewhere; what the server makes itself does not count.
export const incoming = (show) => show.tracks.filter((t) => sender(show, t)?.remote !== 'this server').reduce((sum, t) => sum + t.bit_rate, 0);

// summary is one line on the tracks of a show.
export function summary(tracks) {
  const pictures = tracks.filter((t) => t.kind === 'video').map((t) => (t.height ? `${Math.min(t.width, t.height)}p` : 'picture'));
  const voices = tracks.filter((t) => t.kind === 'audio').map((t) => t.language || 'sound');
  return [...new Set(pictures), ...new Set(voices)].join(', ');
}

// troubleOf says what is wrong with the camera of a show that is not on for that; '' if nothing is.
export function troubleOf({ state, camera }) {
  const trouble = state === 'live' ? '' : camera?.trouble ?? '';
  return trouble && `${trouble[0].toUpperCase()}${trouble.slice(1)}.`;
}

// textOf is what a card says, in English if it can; id is for cards without words.
export function textOf(content, id) {
  const one = (text) => (typeof text === 'string' ? text : text?.en ?? Object.values(text ?? {})[0]);
  const words = [one(content?.text), ...(content?.products ?? []).map((p) => one(p.title) ?? p.id)].filter(Boolean);
  return words.join(', ') || id;
}

// keysOf returns the items' keys, unlike each other: rungs of one size in two codecs are called the same.
export function keysOf(items, key) {
  const times = new Map();
  return items.map((item) => {
    const k = String(key(item));
    const n = (times.get(k) ?? 0) + 1;
    times.set(k, n);
    return n > 1 ? `${k}\n${n}` : k;
  });
}
