// Copies what the page needs of its libraries from node_modules to dist/, with their licences, and builds the
// overlay there, as shops get it from its package. `make web` runs it after `npm ci`; Go embeds the result.
import { copyFile, mkdir, readdir, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildOverlay } from './overlay/build.mjs';

const here = path.dirname(fileURLToPath(import.meta.url));
const dist = path.join(here, 'dist');

const wanted = {
  'hls.min.mjs': 'hls.js/dist/hls.min.mjs',
  'hls.LICENSE.txt': 'hls.js/LICENSE',
  'shaka-player.min.js': 'shaka-player/dist/shaka-player.compiled-es2021.js',
  'shaka-player.LICENSE.txt': 'shaka-player/LICENSE',
};

await mkdir(dist, { recursive: true });
for (const name of await readdir(dist)) {
  if (name !== '.gitkeep' && !(name in wanted)) await rm(path.join(dist, name), { recursive: true });
}
for (const [name, source] of Object.entries(wanted)) {
  const from = path.join(here, 'node_modules', source);
  try {
    await copyFile(from, path.join(dist, name));
  } catch (e) {
    console.error(`web: ${source} is missing (${e.code}): run "npm ci" in web/`);
    process.exit(1);
  }
  const { size } = await stat(path.join(dist, name));
  console.log(`web/dist/${name}  ${(size / 1024).toFixed(0)} KiB`);
}
for (const [name, bytes] of Object.entries(await buildOverlay(dist))) console.log(`web/dist/${name}  ${(bytes.length / 1024).toFixed(0)} KiB`);
