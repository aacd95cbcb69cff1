// Runs the unit tests (test/**/*.test.ts): bundled into a scratch folder first, because Node 18 reads no TypeScript.

import { build } from 'esbuild';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const list = (folder, ending) =>
  readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    return entry.isDirectory() ? list(path, ending) : entry.name.endsWith(ending) ? [path] : [];
  });

const scratch = mkdtempSync(join(tmpdir(), 'pixel-detective-page-'));
try {
  await build({
    entryPoints: list(here, '.test.ts'),
    outdir: scratch,
    outbase: here,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    platform: 'node',
    format: 'esm',
    sourcemap: 'inline',
    logLevel: 'error',
  });
  const tests = list(scratch, '.mjs').sort();
  process.exitCode = spawnSync(process.execPath, ['--enable-source-maps', '--test', ...tests], { stdio: 'inherit' }).status ?? 1;
} finally {
  rmSync(scratch, { recursive: true });
}
