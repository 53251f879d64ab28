// The operators' page: what the API says, for people. /streams has all shows, /streams/live/NAME one. It asks the API every two
// seconds and touches only what has changed, so that nothing flickers and the focus stays where it is.

import { age, bits, formatOf, frames, incoming, keysOf, sizeOf, sourceOf, summary, textOf, trackName, troubleOf } from './words.js';

const everyMs = 2000;
const hiddenMs = 15_000;
const $ = (id) => document.getElementById(id);
const [, name] = /^\/streams\/live\/([^/]+)$/.exec(location.pathname) ?? [];
const show = name === undefined ? null : decodeURIComponent(name);
const api = '/v1/streams';
const makes = document.body.dataset.makes.split(' ').filter(Boolean);
const own = `${api}/live/${encodeURIComponent(show)}`;

// ---- drawing

// put sets an element's text, if it differs.
function put(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

function putState(element, state) {
  put(element, state);
  element.dataset.state = state;
}

// rows makes the children of parent those of items, by key: what is there already stays the same element. make returns an element,
// update is given it and the item.
function rows(parent, items, key, make, update) {
  const there = new Map([...parent.children].map((e) => [e.dataset.key, e]));
  const keys = keysOf(items, key);
  items.forEach((item, i) => {
    const k = keys[i];
    const element = there.get(k) ?? make(item);
    there.delete(k);
    element.dataset.key = k;
    update(element, item);
    if (parent.children[i] !== element) parent.insertBefore(element, parent.children[i] ?? null);
  });
  for (const gone of there.values()) gone.remove();
}

// table fills a body with rows of cells: texts, or { state } or { link, text } or { number }.
function table(body, items, key, cells) {
  rows(body, items, key, () => document.createElement('tr'), (tr, item) => {
    rows(tr, cells(item).map((cell, i) => ({ cell, i })), ({ i }) => i, () => document.createElement('td'), (td, { cell }) => {
      if (typeof cell === 'string') return put(td, cell);
      if (cell.number !== undefined) {
        td.className = 'number';
        return put(td, cell.number);
      }
      const inner = td.firstElementChild ?? td.appendChild(document.createElement(cell.link ? 'a' : 'span'));
      if (cell.link) {
        inner.href = cell.link;
        return put(inner, cell.text);
      }
      inner.className = 'state';
      putState(inner, cell.state);
    });
  });
}

function facts(list, pairs) {
  rows(list, pairs, ([term]) => term, ([term]) => {
    const div = document.createElement('div');
    div.append(Object.assign(document.createElement('dt'), { textContent: term }), document.createElement('dd'));
    return div;
  }, (div, [, text]) => put(div.lastChild, text));
}

const clock = (at) => new Date(at).toLocaleTimeString([], { hourCycle: 'h23' });

// ---- all shows

function drawList({ streams }) {
  $('none').hidden = streams.length > 0;
  $('shows').hidden = streams.length === 0;
  table($('shows').tBodies[0], streams, (s) => s.name, (s) => [
    { link: `/streams/live/${encodeURIComponent(s.name)}`, text: s.name }, { state: s.state }, { number: String(s.viewers) }, summary(s.tracks),
    troubleOf(s) || (s.remarks.at(-1)?.text ?? ''),
  ]);
}

// ---- one show

function drawShow(s) {
  const away = s?.state === 'away';
  $('absent').hidden = Boolean(s);
  $('on').hidden = !s || away;
  $('obs').hidden = makes.length === 0 || Boolean(s?.camera);
  for (const id of ['state', 'since', 'watch', 'cut']) $(id).hidden = !s;
  const trouble = s ? troubleOf(s) : '';
  $('camera').hidden = !trouble;
  if (!s) return;
  putState($('state'), s.state);
  put($('since'), `for ${age(Date.now() - Date.parse(s.since))}`);
  $('watch').hidden = !s.page;
  if (s.page && $('watch').href !== s.page) $('watch').href = s.page;
  $('cut').hidden = away || s.state === 'ended';
  put($('trouble'), trouble);
  put($('tries'), `Tries so far: ${s.camera?.tries}. The show goes on by itself once the camera is there.`);
  if (away) return;
  facts($('facts'), [
    ['Viewers', String(s.viewers)],
    ['Coming in', bits(incoming(s))],
    ['Encoder', s.host.encoder || 'unknown'],
    ['Show began', clock(s.start)],
    ['Host’s connections', String(s.sessions)],
  ]);
  const remarks = s.remarks.toReversed();
  rows($('remarks'), remarks, (r) => `${r.at} ${r.text}`, () => {
    const li = document.createElement('li');
    li.append(document.createElement('time'), document.createElement('span'));
    return li;
  }, (li, r) => {
    li.firstChild.dateTime = r.at;
    put(li.firstChild, clock(r.at));
    put(li.lastChild, r.text);
  });
  $('no-remarks').hidden = remarks.length > 0;
  table($('tracks'), s.tracks.filter((t) => t.kind !== 'data'), (t) => t.id, (t) => [
    trackName(t), sourceOf(s, t), formatOf(t), { number: sizeOf(t) }, { number: frames(t.frame_rate) },
    { number: t.keyframe_interval ? `${t.keyframe_interval.toFixed(1)} s` : '' }, { number: bits(t.bit_rate) },
  ]);
  const host = { role: 'host', since: null, ...s.host };
  table($('connections'), [...s.state === 'live' ? [host] : [], ...s.contributors], (c) => c.role, (c) => [
    c.role, c.since ? clock(c.since) : '', c.protocol ?? '', c.encoder ?? '', c.remote ?? '',
  ]);
  drawLadder(s.ladder);
  const repairs = Object.entries(s.repairs ?? {});
  $('repairs-section').hidden = repairs.length === 0;
  facts($('repairs'), repairs.map(([kind, n]) => [kind, String(n)]));
}

function drawLadder(ladder) {
  $('ladder-section').hidden = !ladder;
  if (!ladder) return;
  putState($('ladder-state'), ladder.state);
  $('ladder-why').hidden = !ladder.why;
  put($('ladder-why'), ladder.why ?? '');
  const ms = (seconds) => `${Math.round(seconds * 1000)} ms`;
  table($('rungs'), ladder.rungs, (r) => r.label, (r) => [
    r.label, { state: r.state }, r.encoder, { number: sizeOf(r) }, { number: bits(r.bit_rate) },
    { number: r.state === 'on' ? ms(r.lag) : '' }, { number: r.state === 'on' ? ms(r.latency) : '' },
  ]);
}

// ---- cards that are up

const contents = new Map(); // of cues, by ID and revision

async function drawCues() {
  const list = await ask(`${own}/cues`);
  $('cues-section').hidden = !list;
  if (!list) return;
  const up = list.cues.filter((c) => c.state === 'active').map((c) => ({ ...c, at: `${c.id}/${c.rev}` }));
  for (const at of contents.keys()) if (!up.some((c) => c.at === at)) contents.delete(at);
  for (const c of up) if (!contents.has(c.at)) contents.set(c.at, textOf((await ask(`${own}/cues/${encodeURIComponent(c.id)}`))?.content, c.id));
  rows($('cues'), up, (c) => c.at, () => document.createElement('li'), (li, c) => put(li, contents.get(c.at)));
  $('no-cues').hidden = up.length > 0;
}

// ---- the block for OBS

async function drawOBS() {
  const asked = new URLSearchParams(new FormData($('obs-form')));
  const answer = await fetch(`${own}/obs?${asked}`);
  const text = await answer.text();
  $('obs-wrong').hidden = answer.ok;
  put($('copied'), '');
  $('copy').disabled = !answer.ok;
  if (!answer.ok) return put($('obs-wrong'), text.trim());
  $('obs-json').value = text;
  const [endpoint] = JSON.parse(text).ingest_endpoints ?? [];
  if (endpoint) put($('obs-server'), endpoint.url_template.replace(/\/\{stream_key\}$/, ''));
}

async function copy() {
  const json = $('obs-json');
  try {
    await navigator.clipboard.writeText(json.value);
  } catch { // pages without TLS have no clipboard but their own selection
    json.select();
    if (!document.execCommand('copy')) return put($('copied'), 'Your browser does not let the page copy: it is selected now.');
  }
  put($('copied'), 'Copied.');
}

// ---- asking

// ask returns what the API says; null for 404.
async function ask(path) {
  const answer = await fetch(path, { cache: 'no-store', signal: AbortSignal.timeout(10_000) });
  if (answer.status === 404) return null;
  if (!answer.ok) throw new Error((await answer.json()).error);
  return answer.json();
}

let timer = 0;
async function refresh() {
  clearTimeout(timer);
  const began = performance.now();
  try {
    if (show === null) drawList(await ask(api));
    else {
      const s = await ask(own);
      drawShow(s);
      if (s && s.state !== 'away') await drawCues();
    }
    $('stale').hidden = true;
  } catch (e) {
    put($('stale'), `The server does not answer (${e.message}). What you see was true at ${clock(lastGood)}; trying again.`);
    $('stale').hidden = false;
  }
  if ($('stale').hidden) lastGood = Date.now();
  // A list of thousands of cues takes its time: the page does not keep the server busy with it.
  const rest = 5 * (performance.now() - began);
  timer = setTimeout(refresh, Math.max(document.hidden ? hiddenMs : everyMs, rest));
}
let lastGood = Date.now();

document.addEventListener('visibilitychange', () => { if (!document.hidden) refresh(); });
if (show === null) {
  $('list').hidden = false;
  $('prepare').addEventListener('submit', (e) => {
    e.preventDefault();
    location.href = `/streams/live/${encodeURIComponent($('prepare-name').value.trim())}`;
  });
} else {
  document.title = `${show} · shows`;
  $('name').textContent = show;
  $('obs-key').textContent = `pushcart key ${show}`;
  $('show').hidden = false;
  const select = $('obs-form').elements.encoder;
  select.append(...makes.map((make) => new Option(make, make, make === 'x264', make === 'x264')));
  if (makes.length) drawOBS();
  $('obs-form').addEventListener('input', drawOBS);
  $('obs-form').addEventListener('submit', (e) => e.preventDefault());
  $('copy').addEventListener('click', copy);
  $('cut').addEventListener('click', () => $('sure').showModal());
  $('sure').addEventListener('close', async () => {
    if ($('sure').returnValue === 'yes') await fetch(own, { method: 'DELETE' });
    $('sure').returnValue = '';
    refresh();
  });
}
refresh();
