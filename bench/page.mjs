// page.mjs: how soon the page of the real program is there, and can be used, in Debian's Chromium.
//
//     sh tests/packages.sh tests/page && ninja -C build pixel-detective bench/make_library
//     node bench/page.mjs [--runs 6] [--photos FOLDER] [--write]
//
// Three libraries: empty (Start), the photos of FOLDER (Explore), 100,000 photos without pictures (Explore). Each round opens
// each of them once in a browser profile of its own, so nothing is in the browser's cache; the programs run and have been
// asked once. Times are from the start of the navigation to the printed address, its redirection with the cookie included.
//
// 'interactive': the first task of the page's own thread in which the field (path, or search) keeps what is typed into it and
// its key handler answers. Looked at every 4 ms from inside the page. 'first photo': a thumbnail stands in the grid.
// Afterwards each state is walked through once more behind a proxy that sees every request of the browser, workers too: one
// to anywhere else than the program ends the benchmark with 1. So do a median and a size beyond the bars below.

import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Place } from '../tests/page/harness.mjs';

const { chromium } = createRequire(new URL('../tests/page/', import.meta.url))('playwright-core');
const here = path.dirname(fileURLToPath(import.meta.url));
const root = path.dirname(here);
const program = path.join(root, 'build/pixel-detective');
const FLAGS = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'];
// What the browser asks its maker by itself, on any page (what a form is for, which account): switched off. Its look for
// updates right after its own start cannot be, and is waited for on an empty page.
const ALONE = ['--disable-features=AutofillServerCommunication,OptimizationHints,MediaRouter,Translate', '--disable-component-extensions-with-background-pages', '--disable-default-apps', '--gaia-url=http://127.0.0.1:9'];
const ALONE_MS = 4000;
const BARS = { 'first contentful paint': 300, interactive: 500 }; // ms, medians
const GZIP_BYTES_MAX = 250_000; // everything that the page is made of
const MANY = 100_000;
const QUIET_MS = 500; // so that closing one profile is not timed as opening the next
const COLUMNS = ['state', 'measure', 'unit', 'min', 'median', 'max', 'runs'];

const { values: options } = parseArgs({
  options: {
    runs: { type: 'string', default: '6' },
    photos: { type: 'string', default: path.join(root, '../shared/photos/camera') },
    write: { type: 'boolean', default: false },
  },
});
const wrong = [];

/** Runs inside the page, before anything of it. */
function watch() {
  const seen = (globalThis.benchSeen = {});
  const check = setInterval(() => {
    const field = document.querySelector('#path, .SearchBox__input');
    if (field && !seen.interactive) {
      const before = field.value;
      field.value = 'x';
      field.dispatchEvent(new Event('input', { bubbles: true }));
      const key = new KeyboardEvent('keydown', { key: 'ArrowDown', bubbles: true, cancelable: true });
      field.dispatchEvent(key);
      if (key.defaultPrevented && field.isConnected && field.value === 'x') seen.interactive = performance.now();
      else field.value = before;
    }
    const image = document.querySelector('.Grid .PhotoTile__image');
    if (image?.complete && image.naturalWidth > 0 && !seen.photo) seen.photo = performance.now();
    if (seen.interactive && (seen.photo || seen.photo === undefined && performance.now() > 3000)) clearInterval(check);
  }, 4);
}

async function open(browser, state) {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 } });
  try {
    await context.addInitScript(watch);
    const page = await context.newPage();
    await page.goto(state.place.url);
    await page.waitForFunction((photos) => globalThis.benchSeen.interactive && (!photos || globalThis.benchSeen.photo), state.thumbs);
    const paint = await page.waitForFunction(() => performance.getEntriesByName('first-contentful-paint')[0]?.startTime).then((it) => it.jsonValue());
    const at = new URL(page.url()).pathname;
    if (at !== state.at) wrong.push(`${state.name}: ${at} was opened, not ${state.at}`);
    const { interactive, photo } = await page.evaluate(() => globalThis.benchSeen);
    return { 'first contentful paint': paint, interactive, ...(state.thumbs ? { 'first photo': photo } : {}) };
  } finally {
    await context.close();
  }
}

/** Passes requests on and notes each: {url, bytes as they were sent}. */
async function startProxy(seen) {
  const server = http.createServer((request, response) => {
    const url = new URL(request.url);
    const one = { url, bytes: 0 };
    seen.push(one);
    const onward = http.request(url, { method: request.method, headers: request.headers }, (answer) => {
      response.writeHead(answer.statusCode, answer.headers);
      answer.on('data', (data) => (one.bytes += data.length));
      answer.pipe(response);
    });
    onward.on('error', () => response.destroy());
    response.on('close', () => onward.destroy());
    request.pipe(onward);
  });
  server.on('connect', (request, socket) => {
    seen.push({ url: new URL(`https://${request.url}`), bytes: 0 });
    socket.destroy();
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server;
}

/** A first visit of each state seen from the network: who is asked, and what the page's own files weigh as sent. */
async function listen(states) {
  const seen = [];
  const proxy = await startProxy(seen);
  const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: [...FLAGS, ...ALONE], proxy: { server: `http://127.0.0.1:${proxy.address().port}`, bypass: '<-loopback>' } });
  const rows = [];
  const blank = await browser.newPage();
  await blank.waitForTimeout(ALONE_MS);
  for (const state of states) {
    seen.length = 0;
    const page = await browser.newPage();
    await page.goto(state.place.url);
    await page.waitForTimeout(1500); // what is fetched when the browser is idle
    const first = [...seen];
    for (const to of ['/start', '/search?q=a+dog', '/similar', '/photo/1']) {
      await page.goto(state.place.origin + to);
      await page.waitForTimeout(500);
    }
    await page.context().close();
    for (const { url } of seen) if (url.origin !== state.place.origin) wrong.push(`${state.name}: a request went to ${url.origin}`);
    if (!seen.some(({ url }) => url.pathname.endsWith('/events'))) wrong.push(`${state.name}: the worker's requests were not seen`);
    const own = first.filter(({ url }) => !url.pathname.startsWith('/api/'));
    const bytes = own.reduce((sum, one) => sum + one.bytes, 0);
    rows.push([state.name, 'first visit, files of the page as sent', 'bytes', bytes, bytes, bytes, 1]);
    console.log(`${state.name}: ${seen.length} requests, all to the program; a first visit loads ${own.map(({ url }) => url.pathname).join(' ')}`);
  }
  await browser.close();
  proxy.close();
  return rows;
}

/** Everything that the page is made of, as the program sends it. */
async function weigh(place) {
  const dist = path.join(root, 'web/dist');
  const names = fs.readdirSync(dist, { recursive: true, withFileTypes: true }).filter((one) => one.isFile());
  let sum = 0;
  for (const one of names) {
    const name = path.relative(dist, path.join(one.path, one.name));
    sum += await new Promise((resolve, reject) => {
      http.get(`${place.origin}/${name}`, { headers: { 'Accept-Encoding': 'gzip' } }, (answer) => {
        let bytes = 0;
        answer.on('data', (data) => (bytes += data.length)).on('end', () => (answer.statusCode === 200 ? resolve(bytes) : reject(new Error(`${name}: ${answer.statusCode}`))));
      }).on('error', reject);
    });
  }
  if (sum > GZIP_BYTES_MAX) wrong.push(`the page has ${sum} bytes, limit ${GZIP_BYTES_MAX}`);
  return [['all', 'all files of the page as sent', 'bytes', sum, sum, sum, 1]];
}

function cpuName() {
  const model = /model name\s*:\s*(.*)/.exec(fs.readFileSync('/proc/cpuinfo', 'utf8'))?.[1] ?? 'unknown';
  return model.toLowerCase().match(/[a-z0-9]+/g).filter((word) => !['r', 'tm', 'processor', 'core', 'cpu'].includes(word)).join('-');
}

const median = (sorted) => (sorted[Math.floor((sorted.length - 1) / 2)] + sorted[Math.ceil((sorted.length - 1) / 2)]) / 2;

async function time(states) {
  const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: FLAGS });
  for (const state of states) await open(browser, state); // program and browser have done everything once
  const taken = new Map();
  for (let run = 0; run < Number(options.runs); run++) {
    for (let turn = 0; turn < states.length; turn++) {
      const state = states[(run + turn) % states.length]; // who comes after whom changes
      await new Promise((resolve) => setTimeout(resolve, QUIET_MS));
      for (const [measure, ms] of Object.entries(await open(browser, state))) {
        const key = `${state.name}\t${measure}`;
        taken.set(key, [...(taken.get(key) ?? []), ms]);
      }
    }
  }
  await browser.close();
  return [...taken].map(([key, all]) => {
    const [name, measure] = key.split('\t');
    const sorted = all.sort((a, b) => a - b);
    if (median(sorted) > BARS[measure]) wrong.push(`${name}: ${measure} ${median(sorted).toFixed(0)} ms, bar ${BARS[measure]}`);
    return [name, measure, 'ms', sorted[0].toFixed(0), median(sorted).toFixed(0), sorted.at(-1).toFixed(0), sorted.length];
  });
}

async function fill(place, photos) {
  const dir = path.join(place.environment.XDG_DATA_HOME, 'pixel-detective');
  fs.mkdirSync(dir, { recursive: true });
  if (photos === MANY) execFileSync(path.join(root, 'build/bench/make_library'), [dir, path.join(root, 'models/tiny'), String(MANY)], { env: place.environment });
  await place.serve();
  if (typeof photos === 'string') await place.learn(photos);
}

const states = [
  { name: 'empty', at: '/start', thumbs: false, photos: null },
  { name: 'photos', at: '/search', thumbs: true, photos: path.resolve(options.photos) },
  { name: `${MANY.toLocaleString('en-US')} photos`, at: '/search', thumbs: false, photos: MANY },
];
for (const state of states) {
  state.place = new Place(program, null);
  await fill(state.place, state.photos);
}
try {
  const rows = [...(await time(states)), ...(await listen(states)), ...(await weigh(states[0].place))];
  console.log(cpuName());
  for (const [state, measure, unit, least, middle, most, runs] of rows) console.log(`${state.padEnd(15)} ${measure.padEnd(40)} ${String(least).padStart(7)} min ${String(middle).padStart(7)} median ${String(most).padStart(7)} max  ${unit}  n=${runs}`);
  const cell = (value) => (/[",]/.test(value) ? `"${value}"` : value);
  if (options.write) fs.writeFileSync(path.join(here, `results/page-${cpuName()}.csv`), [COLUMNS, ...rows].map((row) => row.map(cell).join(',')).join('\n') + '\n');
} finally {
  for (const { place } of states) await place.close();
}
for (const line of wrong) console.log(`WRONG: ${line}`);
process.exitCode = wrong.length ? 1 : 0;
