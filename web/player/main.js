// The page: finds its elements, joins controller, player and controls, and shows what they say.

import { Cards } from './cards.js';
import { Controller } from './controller.js';
import { chooseEngine, makeEngine, prepare } from './engine.js';
import { latencyText, showName, titleOf, wordsFor } from './format.js';
import { Languages } from './languages.js';
import { makeProbe } from './probe.js';
import { startPlaying } from './sound.js';

const $ = (id) => document.getElementById(id);
const [show, stage, video] = [$('show'), $('stage'), $('video')];
const base = location.pathname.endsWith('/') ? location.pathname : `${location.pathname}/`;
const url = new URL(`${base}index.m3u8`, location.origin).href;
const title = titleOf(showName(base));
const { assets } = show.dataset;
const kind = chooseEngine(new URLSearchParams(location.search).get('player'));

let wantsQuiet = false; // the viewer has muted by hand
let wantsPause = false; // the viewer has stopped the picture by hand
let measured = null; // latency as shown, in seconds
let voice = null; // that the viewer has chosen, or the page's address for them: { language, name }

function say(phase) {
  // The picture stands still anyway: the moment for what only a new start of the player brings.
  if (phase === 'buffering' && controller.engine?.renditions?.missing) setTimeout(() => controller.restart(true));
  const [headline, detail] = wordsFor(phase);
  show.dataset.phase = phase;
  if (phase === 'ended') show.classList.remove('carded'); // no card comes any more
  if (phase !== 'playing' && phase !== 'paused') {
    $('headline').textContent = headline;
    $('detail').textContent = detail;
  }
  if (phase !== 'playing') measured = null;
  refresh();
}

function refresh() {
  const { phase } = show.dataset;
  $('live').hidden = phase !== 'playing';
  $('latency').textContent = phase === 'playing' && measured !== null ? measured : '';
  $('latency').hidden = !$('latency').textContent;
  press('play', video.paused, 'Play', 'Pause');
  press('mute', video.muted, 'Unmute', 'Mute');
  $('unmute').hidden = !['playing', 'starting', 'paused'].includes(phase) || !refused;
  $('unmute-text').textContent = refused === 'refused' ? 'Tap to play' : 'Tap for sound';
}

function press(id, pressed, ifPressed, ifNot) {
  $(id).setAttribute('aria-pressed', String(pressed));
  $(id).setAttribute('aria-label', pressed ? ifPressed : ifNot);
  $(id).title = pressed ? ifPressed : ifNot;
}

let refused = null; // what the browser refused: sound ('muted'), playing at all ('refused'), or nothing
async function play() {
  try {
    const got = await startPlaying(video, { quiet: wantsQuiet });
    refused = got === 'sound' || wantsQuiet && got === 'muted' ? null : got;
  } catch (e) {
    console.warn('pushcart:', e); // the controller sees that nothing moves
  }
  refresh();
}

const cards = new Cards({ video, host: $('cards'), url, assets });

const languages = new Languages({
  button: $('language'), tag: $('language-tag'), menu: $('language-menu'), offer: $('offer'),
  locales: [cards.for.locale, ...navigator.languages ?? []],
  choose(chosen) {
    voice = chosen.original ? null : chosen;
    if (!controller.engine.renditions.choose(chosen)) controller.restart(true);
  },
});
const asked = new URLSearchParams(location.search).get('lang');
if (asked) voice = { language: asked };

// follow shows the languages of a new player.
function follow(engine) {
  const renditions = engine?.renditions;
  if (!renditions) return languages.forget();
  renditions.addEventListener('change', () => languages.show(renditions.voices, renditions.voice));
}

const controller = new Controller({
  video,
  probe: makeProbe(url),
  onPhase: say,
  onEngine(engine) {
    window.pushcart.engine = engine;
    window.pushcart.player = engine?.player ?? null;
    follow(engine);
    cards.follow(engine).catch((e) => console.error('pushcart:', e)); // the show goes on without
  },
  play,
  async start(on) {
    const engine = await makeEngine(kind, video, url, assets, on, voice);
    if (!wantsPause) play();
    return engine;
  },
});

// For tests and the console.
window.pushcart = { video, controller, cards, kind, engine: null, player: null, get phase() { return controller.phase; } };

// ---- controls

function togglePlay() {
  wantsPause = !video.paused;
  if (wantsPause) return video.pause();
  if (controller.engine?.renditions?.missing) return controller.restart(true);
  controller.toLive();
  play();
}

function toggleMute() {
  wantsQuiet = !video.muted;
  video.muted = wantsQuiet;
  refused = null;
  if (video.paused) play();
  refresh();
}

function toggleFull() {
  if (document.fullscreenElement) return void document.exitFullscreen();
  if (show.requestFullscreen) return void show.requestFullscreen().catch(() => {});
  video.webkitEnterFullscreen?.(); // iPhone: only the video itself
}

$('unmute').addEventListener('click', () => {
  wantsQuiet = false;
  wantsPause = false;
  refused = null;
  play();
});
$('play').addEventListener('click', togglePlay);
$('mute').addEventListener('click', toggleMute);
$('full').addEventListener('click', toggleFull);
document.addEventListener('keydown', (e) => {
  if (e.ctrlKey || e.metaKey || e.altKey || e.target.closest('button, input, textarea, select, a')) return;
  const action = { ' ': togglePlay, k: togglePlay, m: toggleMute, f: toggleFull }[e.key.toLowerCase()];
  if (!action) return;
  e.preventDefault();
  action();
});
for (const event of ['play', 'pause', 'volumechange']) video.addEventListener(event, refresh);

// The controls step aside after three seconds without a hand on them, unless one of them has the focus.
let idle = 0;
function busy() {
  stage.classList.remove('idle');
  clearTimeout(idle);
  idle = setTimeout(() => {
    if (!stage.querySelector('button:focus-visible') && $('language-menu').hidden) stage.classList.add('idle');
  }, 3000);
}
for (const event of ['pointermove', 'pointerdown', 'keydown', 'focusin']) document.addEventListener(event, busy);
busy();

video.addEventListener('resize', () => {
  if (!video.videoWidth) return; // no picture (yet)
  const ratio = video.videoWidth / video.videoHeight;
  show.style.setProperty('--ratio', ratio.toFixed(4));
  stage.classList.toggle('upright', ratio < 0.9);
});

setInterval(() => {
  const { engine } = controller;
  if (!engine || show.dataset.phase !== 'playing') return;
  const date = engine.date();
  const text = latencyText(date === null ? NaN : (Date.now() - date) / 1000, engine.measure()?.latency ?? NaN);
  measured = text || null;
  stage.classList.toggle('audio', video.videoWidth === 0);
  refresh();
}, 1000);

$('title').textContent = title;
document.title = `${title} · live`;
if (document.body.hasAttribute('data-missing') && kind !== 'native') say('missing');
else {
  prepare(kind, assets);
  controller.run();
}
