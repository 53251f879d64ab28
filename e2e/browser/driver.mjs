// Drives a headless Chromium for the end-to-end tests. Commands come as lines of JSON on standard input, each
// with an id; answers go to standard output with the same id. When standard input closes, so does everything.
//
//   {id, cmd: "open", url, width, height, strict}   a page in a fresh context, and the observer in it; answers {page}
//   {id, cmd: "report", page, since}                what the observer saw from wall time since (ms) on
//   {id, cmd: "evaluate", page, js}                 the value of an expression
//   {id, cmd: "click", page, selector}
//   {id, cmd: "offline", page, offline}             takes the page's network away, or gives it back
//   {id, cmd: "throttle", page, kbps}               makes it slow; 0 as fast as it was
//   {id, cmd: "shot", page, path}                   a screenshot
//   {id, cmd: "close", page}
//
// strict pages live in a browser that refuses sound before the viewer has touched the page, as browsers do.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import readline from 'node:readline';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';

const observer = readFileSync(path.join(path.dirname(fileURLToPath(import.meta.url)), 'observer.js'), 'utf8');
const flags = [
  '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
  '--disable-component-update', '--disable-sync', '--disable-background-timer-throttling',
  '--disable-backgrounding-occluded-windows', '--disable-renderer-backgrounding', '--force-color-profile=srgb',
];
// No budget: the first start of a browser on a busy machine, from a cold disk, takes its time.
const timeout = 120_000;
const policies = { free: 'no-user-gesture-required', strict: 'document-user-activation-required' };
const browsers = new Map();
const pages = new Map();
let lastPage = 0;

function browserFor(policy) {
  if (!browsers.has(policy)) {
    const launched = chromium.launch({
      executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
      args: [...flags, `--autoplay-policy=${policies[policy]}`],
      timeout,
    });
    browsers.set(policy, launched);
    const gone = () => { if (browsers.get(policy) === launched) browsers.delete(policy); };
    launched.then((b) => b.on('disconnected', gone), gone); // the next page gets another one
  }
  return browsers.get(policy);
}

// evaluate looks without touching: Playwright's own evaluate counts as the viewer's hand on the page.
// While the page is loaded anew there is a moment in which it has nowhere to look.
async function evaluate(page, expression) {
  for (let left = 50; ; left--) {
    try {
      const { result, exceptionDetails } = await pages.get(page).cdp.send('Runtime.evaluate', { expression, awaitPromise: true, returnByValue: true, userGesture: false });
      if (!exceptionDetails) return result.value;
      throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
    } catch (e) {
      if (!left || !/navigated|context was destroyed|find context|promise was collected/i.test(e.message)) throw e;
      await new Promise((go) => setTimeout(go, 100));
    }
  }
}

const commands = {
  async open({ url, width = 1280, height = 720, strict = false }) {
    const browser = await browserFor(strict ? 'strict' : 'free');
    const context = await browser.newContext({ viewport: { width, height } });
    const page = await context.newPage();
    const notes = { console: [], elsewhere: [], navigations: 0 };
    const note = (list, line) => { if (list.length < 200) list.push(line); };
    page.on('console', (m) => note(notes.console, `${m.type()}: ${m.text()}`.slice(0, 400)));
    page.on('pageerror', (e) => note(notes.console, `pageerror: ${e.message}`));
    page.on('framenavigated', (f) => { if (f === page.mainFrame()) notes.navigations++; });
    page.on('request', (r) => { if (/^https?:/.test(r.url()) && new URL(r.url()).origin !== new URL(url).origin) note(notes.elsewhere, r.url()); });
    const id = ++lastPage;
    pages.set(id, { page, context, notes, cdp: await context.newCDPSession(page) });
    page.setDefaultTimeout(timeout);
    page.setDefaultNavigationTimeout(timeout);
    await page.addInitScript(observer);
    await page.goto(url);
    return { page: id, version: browser.version() };
  },
  async report({ page, since = 0 }) {
    return { ...await evaluate(page, `window.observed(${since})`), ...pages.get(page).notes };
  },
  evaluate: ({ page, js }) => evaluate(page, js),
  async click({ page, selector }) { await pages.get(page).page.click(selector); },
  async offline({ page, offline }) { await pages.get(page).context.setOffline(offline); },
  async throttle({ page, kbps }) {
    const throughput = kbps ? (kbps * 1000) / 8 : -1;
    await pages.get(page).cdp.send('Network.enable');
    await pages.get(page).cdp.send('Network.emulateNetworkConditions', { offline: false, latency: kbps ? 40 : 0, downloadThroughput: throughput, uploadThroughput: throughput });
  },
  async shot({ page, path: file }) { await pages.get(page).page.screenshot({ path: file }); },
  async close({ page }) {
    await pages.get(page)?.context.close();
    pages.delete(page);
  },
};

for await (const line of readline.createInterface({ input: process.stdin })) {
  const request = JSON.parse(line);
  // Not awaited: tests drive several pages at a time.
  Promise.resolve().then(() => commands[request.cmd](request)).then(
    (value) => answer({ id: request.id, value: value ?? null }),
    (e) => answer({ id: request.id, error: String(e?.message ?? e).slice(0, 2000) }),
  );
}
for (const launched of browsers.values()) await launched.then((b) => b.close(), () => {});

function answer(object) {
  process.stdout.write(`${JSON.stringify(object)}\n`);
}
