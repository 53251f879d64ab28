// Builds the package: one small module for the cues, and one for the card. `npm pack` runs it here; ../build.mjs runs
// it for the player page.
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const here = path.dirname(fileURLToPath(import.meta.url));

// buildOverlay returns { file name: bytes }, and writes nothing if outdir is null.
export async function buildOverlay(outdir) {
  const { outputFiles } = await build({
    absWorkingDir: here,
    entryPoints: ['cues.js', 'card.js'],
    bundle: true,
    minify: true,
    format: 'esm',
    target: 'es2022',
    outdir: outdir ?? 'dist',
    write: false,
  });
  const files = Object.fromEntries(outputFiles.map((f) => [path.basename(f.path), f.contents]));
  if (outdir) {
    const { mkdir, writeFile } = await import('node:fs/promises');
    await mkdir(outdir, { recursive: true });
    await Promise.all(Object.entries(files).map(([name, bytes]) => writeFile(path.join(outdir, name), bytes)));
  }
  return files;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const files = await buildOverlay(path.join(here, 'dist'));
  for (const [name, bytes] of Object.entries(files)) console.log(`dist/${name}  ${bytes.length} bytes`);
}
