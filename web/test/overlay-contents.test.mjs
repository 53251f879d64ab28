import assert from 'node:assert/strict';
import test from 'node:test';
import { Board } from '../overlay/board.js';
import { clock, money } from '../overlay/card.js';
import { choose, Documents, localise } from '../overlay/documents.js';

const base = new URL('http://shop.example/live/a/index.m3u8');
const soon = (ms = 0) => new Promise((go) => setTimeout(go, ms));

test('a text in the locale that comes nearest', () => {
  const texts = { en: 'wig', fr: 'perruque', 'pt-BR': 'peruca', und: '?' };
  for (const [locale, want] of [['fr', 'perruque'], ['fr-CA', 'perruque'], ['PT-br', 'peruca'], ['de', 'wig'], ['', 'wig']]) assert.equal(choose(texts, locale), want, locale);
  assert.equal(choose({ und: '?', de: 'Perücke' }, 'it'), '?');
  assert.equal(choose({ de: 'Perücke' }, 'it'), 'Perücke');
  assert.equal(choose('plain', 'it'), 'plain');
  assert.equal(choose(undefined, 'it'), '');
  const { products: [p], text } = localise({ text: { fr: 'Oui' }, products: [{ id: 'a', title: texts, extra: 1 }] }, 'fr');
  assert.deepEqual([text, p.title, p.description, p.extra], ['Oui', 'perruque', '', 1]);
});

// documents counts what it asks for; answers says what comes back, in order, then 404.
function documents(...answers) {
  const asked = [];
  const arrived = [];
  const fetch = async (url) => {
    asked.push(url.pathname.replace('/live/a/cues/', ''));
    const answer = answers.shift();
    if (answer instanceof Error) throw answer;
    return { ok: Boolean(answer), json: async () => answer };
  };
  return { asked, arrived, docs: new Documents(base, 'fr', (m) => arrived.push(m.id), fetch) };
}

test('a document that fails is tried again', async () => {
  const { docs, asked, arrived } = documents(new Error('offline'), null, { text: 'here' });
  const mark = { id: 'a', rev: 1 };
  docs.want(mark);
  assert.equal(docs.get(mark), undefined);
  docs.want(mark);
  await soon(900);
  assert.equal(docs.get(mark).text, 'here');
  assert.deepEqual(asked, ['a/1/fr.json', 'a/1.json', 'a/1/fr.json']);
  assert.deepEqual(arrived, ['a']);
  docs.stop();
});

test('what waits for its time comes at once when it is needed', async () => {
  const { docs, asked } = documents({ text: 'here' });
  const mark = { id: 'a', rev: 1 };
  docs.want(mark, 60_000);
  await soon();
  assert.deepEqual(asked, []);
  docs.want(mark);
  await soon(10);
  assert.equal(docs.get(mark).text, 'here');
  docs.stop();
});

test('old documents make room, those in use do not', async () => {
  const { docs, asked } = documents(...Array.from({ length: 300 }, () => ({})));
  const kept = { id: 'kept', rev: 1 };
  docs.want(kept);
  for (let n = 0; n < 200; n++) {
    docs.want({ id: `p${n}`, rev: 1 });
    await soon();
    assert.ok(docs.get(kept));
  }
  assert.equal(docs.get({ id: 'p0', rev: 1 }), undefined);
  assert.equal(asked.length, 201);
  docs.stop();
});

test('who has gone asks no more', async () => {
  const { docs, asked, arrived } = documents({});
  docs.want({ id: 'a', rev: 1 }, 20);
  docs.stop();
  await soon(50);
  assert.deepEqual([asked, arrived], [[], []]);
});

test('facts by events, with the list that sync names, and by asking', async (t) => {
  const sources = [];
  globalThis.EventSource = class extends EventTarget {
    constructor(url) { super(); this.url = url.href; this.readyState = 1; sources.push(this); }
    close() { this.readyState = 2; }
    say(type, data) { this.dispatchEvent(Object.assign(new Event(type), { data: JSON.stringify(data) })); }
  };
  t.after(() => { delete globalThis.EventSource; });
  const heard = { changed: 0, listed: [] };
  const asked = [];
  const fetch = async (url) => {
    asked.push(url.href);
    return { ok: true, json: async () => ({ facts: { a: { stock: 7 }, b: { stock: 1 } }, cues: [{ id: 'x' }] }) };
  };
  const board = new Board(base, 'events', { fetch, changed: () => heard.changed++, listed: (l) => heard.listed.push(...l), needed: () => true });
  const [events] = sources;
  assert.equal(events.url, 'http://shop.example/live/a/cues/events');
  events.say('sync', { cues: 'cues.json?after=1' });
  events.say('facts', { a: { stock: 3 }, b: null });
  await soon(10);
  assert.deepEqual(asked, ['http://shop.example/live/a/cues.json?after=1']);
  assert.deepEqual([board.fact('a'), board.fact('b'), board.fact('c')], [{ stock: 3 }, {}, {}]);
  assert.equal(heard.changed, 2);
  assert.deepEqual(heard.listed, [{ id: 'x' }]);
  events.say('end', {});
  await soon();
  assert.equal(events.readyState, 2);
  board.stop();
  const other = new Board(base, 'auto', { fetch, changed() {}, listed() {}, needed: () => true });
  await soon(10);
  assert.equal(sources.length, 1, 'over http: there is one connection more for media');
  assert.deepEqual(other.fact('a'), { stock: 7 });
  other.stop();
});

test('money and clocks', () => {
  assert.equal(money(3999, 'USD', 'en-US'), '$39.99');
  assert.equal(money(4100, 'JPY', 'ja-JP').replace('￥', '¥'), '¥4,100');
  assert.equal(money(undefined, 'USD', 'en'), '');
  assert.match(money(100, 'NOT A CURRENCY', 'en'), /^1 /);
  assert.deepEqual([0, 999, 65_000, 3_723_000, -5].map(clock), ['0:00', '0:01', '1:05', '1:02:03', '0:00']);
});
