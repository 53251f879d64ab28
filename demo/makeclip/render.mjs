// Draws the frames of scene.js in headless Chromium and writes them to standard output as JPEG pictures, one
// after the other, for ffmpeg's image2pipe.
//
//   node render.mjs [--only N] > frames.mjpeg
//   node render.mjs --stills DIR         the products' own pictures, for their cards
//
// Run from a directory whose node_modules has playwright-core, or name it in NODE_MODULES.
import { createRequire } from 'node:module';
import { readFileSync, writeFileSync, writeSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const here = path.dirname(fileURLToPath(import.meta.url));
const modules = process.env.NODE_MODULES ?? path.join(here, '../../e2e/browser/node_modules');
const { chromium } = createRequire(path.join(modules, 'x.js'))('playwright-core');
const only = process.argv.indexOf('--only') > 0 ? Number(process.argv[process.argv.indexOf('--only') + 1]) : -1;

const stills = process.argv.indexOf('--stills') > 0 ? process.argv[process.argv.indexOf('--stills') + 1] : null;

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync', '--force-color-profile=srgb'],
});
try {
  const page = await browser.newPage();
  await page.setContent('<canvas width="1280" height="720"></canvas>');
  const source = readFileSync(path.join(here, 'scene.js'), 'utf8');
  await page.addScriptTag({ type: 'module', content: `${source}\nObject.assign(window, { scene, still, names, frames_: frames });` });
  await page.waitForFunction(() => window.scene);
  const total = await page.evaluate(() => window.frames_);
  if (stills) {
    for (const [n, name] of (await page.evaluate(() => window.names)).entries()) {
      const url = await page.evaluate((i) => {
        const canvas = new OffscreenCanvas(640, 480);
        window.still(canvas.getContext('2d'), i);
        return canvas.convertToBlob({ type: 'image/webp', quality: 0.82 }).then((blob) => new Promise((go) => {
          const reader = new FileReader();
          reader.onload = () => go(reader.result);
          reader.readAsDataURL(blob);
        }));
      }, n);
      writeFileSync(path.join(stills, `${name}.webp`), Buffer.from(url.slice(url.indexOf(',') + 1), 'base64'));
    }
  } else for (let n = Math.max(0, only); n < (only < 0 ? total : only + 1); n++) {
    const url = await page.evaluate((i) => {
      const canvas = document.querySelector('canvas');
      const c = (window.c ??= canvas.getContext('2d', { willReadFrequently: true }));
      c.setTransform(1, 0, 0, 1, 0, 0);
      window.scene(c, i);
      return canvas.toDataURL('image/jpeg', 0.97);
    }, n);
    const picture = Buffer.from(url.slice(url.indexOf(',') + 1), 'base64');
    for (let at = 0; at < picture.length;) {
      try {
        at += writeSync(1, picture, at);
      } catch (e) {
        if (e.code !== 'EAGAIN') throw e;
        await new Promise((go) => setTimeout(go, 2));
      }
    }
  }
} finally {
  await browser.close();
}
