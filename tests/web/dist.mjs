// dist.mjs WEB: builds the page into a scratch folder and compares it, byte by byte, with what is committed in WEB/dist. Also
// what the committed page promises: nothing that its policy (docs/http.md) would refuse, and its size.

import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { gzipSync } from 'node:zlib';

const GZIP_BYTES_MAX = 250_000; // all of it; measured: 130,092
const FIRST_GZIP_BYTES_MAX = 60_000; // index.html, app.js, style.css, theme.js: what the first screen waits for; measured: 58,739
const NAME = /^(index\.html|app\.js|style\.css|theme\.js|mark\.svg|assets\/[A-Za-z][A-Za-z.-]*\.(js|css))$/; // fixed, so no hashes

const web = process.argv[2];
const committed = join(web, 'dist');
const wrong = [];

const list = (folder, top = folder) =>
  readdirSync(folder, { withFileTypes: true })
    .flatMap((entry) => (entry.isDirectory() ? list(join(folder, entry.name), top) : [relative(top, join(folder, entry.name))]))
    .sort();

function compare(fresh) {
  const names = new Set([...list(committed), ...list(fresh)]);
  const read = (folder, name) => {
    try {
      return readFileSync(join(folder, name));
    } catch {
      return null;
    }
  };
  for (const name of names) {
    const [old, now] = [read(committed, name), read(fresh, name)];
    if (!old) wrong.push(`dist/${name} is missing`);
    else if (!now) wrong.push(`dist/${name} is left over from another build`);
    else if (!old.equals(now)) wrong.push(`dist/${name} is not what the sources give`);
  }
  if (wrong.length) wrong.push('build it anew and commit it: npm ci --ignore-scripts && npm run build');
}

function checkPolicy() {
  const html = readFileSync(join(committed, 'index.html'), 'utf8');
  if (/<script(?![^>]*\bsrc=)/.test(html)) wrong.push('index.html has an inline script');
  if (/<style|\sstyle=|\son[a-z]+=/.test(html)) wrong.push('index.html has an inline style or handler');
  for (const name of list(committed)) {
    const text = readFileSync(join(committed, name), 'utf8');
    if (/\bdata:[a-z]+\//.test(text)) wrong.push(`${name} has a data: address`);
    if (name !== 'mark.svg' && /<[a-z]+[^<>`]*\sstyle="/.test(text)) wrong.push(`${name} has style="..." in markup`);
    if (!NAME.test(name)) wrong.push(`${name} is not a fixed name`);
    // Names of XML, and what Svelte puts into its messages, are no requests.
    const foreign = [...text.matchAll(/https?:\/\/(?!www\.w3\.org\/|svelte\.dev\/|page\b)[\w.]+/g)].map(([address]) => address);
    if (foreign.length) wrong.push(`${name} names another address: ${foreign.join(' ')}`);
  }
}

function checkSize() {
  const sizes = list(committed).map((name) => ({ name, bytes: gzipSync(readFileSync(join(committed, name))).length }));
  const sum = (some) => some.reduce((total, { bytes }) => total + bytes, 0);
  const first = sum(sizes.filter(({ name }) => /^(index\.html|app\.js|style\.css|theme\.js)$/.test(name)));
  console.log(`gzip: ${sum(sizes)} bytes, of which the first screen waits for ${first}`);
  if (sum(sizes) > GZIP_BYTES_MAX) wrong.push(`all of it has ${sum(sizes)} bytes, limit ${GZIP_BYTES_MAX}`);
  if (first > FIRST_GZIP_BYTES_MAX) wrong.push(`the first screen waits for ${first} bytes, limit ${FIRST_GZIP_BYTES_MAX}`);
}

const scratch = mkdtempSync(join(tmpdir(), 'pixel-detective-dist-'));
try {
  const vite = join(web, 'node_modules', 'vite', 'bin', 'vite.js');
  const built = spawnSync(process.execPath, [vite, 'build', '--outDir', scratch, '--emptyOutDir', '--logLevel', 'warn'], { cwd: web, encoding: 'utf8' });
  if (built.status !== 0) wrong.push(`it does not build: ${built.stderr || built.stdout}`);
  else compare(scratch);
} finally {
  rmSync(scratch, { recursive: true });
}
checkPolicy();
checkSize();
for (const line of wrong) console.log(line);
process.exit(wrong.length ? 1 : 0);
