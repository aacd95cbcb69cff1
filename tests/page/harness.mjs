// What every page test stands on: scratch folders with pictures, the real program serving them, and Debian's Chromium.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import zlib from 'node:zlib';
import { createRequire } from 'node:module';
import { chromium } from 'playwright-core';

const CHROMIUM = '/usr/bin/chromium-headless-shell'; // the engine without windows: two thirds of the time
const CHROMIUM_FLAGS = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'];
const START_MS = 60_000; // a sanitizer build on a busy machine
const STOP_MS = 5_000; // what PRODUCT promises; the wait is longer, so that a miss is told as one
export const WAIT_MS = Number(process.env.PD_WAIT_MS ?? 60_000);

const axeSource = fs.readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const axeRules = { resultTypes: ['violations'], runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'best-practice'] };

/** A PNG that no other seed gives: a picture of its own for the program. */
export function png(seed, side = 48) {
  const rows = Buffer.alloc(side * (1 + side * 3));
  for (let y = 0, at = 0; y < side; y++) {
    rows[at++] = 0;
    for (let x = 0; x < side; x++)
      for (let c = 0; c < 3; c++) rows[at++] = (x * ((seed % 11) + 1) + y * ((seed % 7) + 1) + (seed >> (3 * c)) * 37 + c * 80) & 255;
  }
  const chunk = (kind, data) => {
    const body = Buffer.concat([Buffer.from(kind, 'latin1'), data]);
    const out = Buffer.alloc(8 + data.length + 4);
    out.writeUInt32BE(data.length, 0);
    body.copy(out, 4);
    out.writeUInt32BE(crc32(body), 8 + data.length);
    return out;
  };
  const head = Buffer.alloc(13);
  head.writeUInt32BE(side, 0);
  head.writeUInt32BE(side, 4);
  head.set([8, 2, 0, 0, 0], 8);
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  return Buffer.concat([signature, chunk('IHDR', head), chunk('IDAT', zlib.deflateSync(rows)), chunk('IEND', Buffer.alloc(0))]);
}

const crcTable = Array.from({ length: 256 }, (_, n) => {
  let c = n;
  for (let k = 0; k < 8; k++) c = c & 1 ? 0xedb88320 ^ (c >>> 1) : c >>> 1;
  return c >>> 0;
});

function crc32(bytes) {
  let crc = 0xffffffff;
  for (const byte of bytes) crc = crcTable[(crc ^ byte) & 255] ^ (crc >>> 8);
  return (crc ^ 0xffffffff) >>> 0;
}

/** A home of its own, the program in it, and the pages opened on it. `close` ends and removes everything. */
export class Place {
  constructor(program, browser) {
    this.program = program;
    this.browser = browser;
    this.home = fs.mkdtempSync(path.join(os.tmpdir(), 'pd-page-'));
    this.environment = {
      PATH: process.env.PATH,
      HOME: this.home,
      XDG_DATA_HOME: path.join(this.home, 'data'),
      XDG_CACHE_HOME: path.join(this.home, 'cache'),
    };
    this.problems = []; // of the pages: errors in the console, requests that left
    this.contexts = [];
    this.ends = []; // what else ends with it
  }

  folder(name, n = 0, firstSeed = 1) {
    const dir = path.join(this.home, name);
    fs.mkdirSync(dir, { recursive: true });
    for (let i = 0; i < n; i++) fs.writeFileSync(path.join(dir, `picture-${String(i).padStart(4, '0')}.png`), png(firstSeed + i));
    return dir;
  }

  /** What is prepared for tags is the same in every case: they hand it on, beside the program. The program checks it. */
  shareWords(out) {
    const kept = path.join(path.dirname(this.program), 'words-for-tests');
    const own = path.join(this.home, 'cache', 'pixel-detective', 'prepared');
    const [here, there] = out ? [own, kept] : [kept, own];
    for (const name of fs.existsSync(here) ? fs.readdirSync(here) : []) {
      if (!/^tags-.*\.words$/.test(name) || fs.existsSync(path.join(there, name))) continue;
      fs.mkdirSync(there, { recursive: true });
      const part = path.join(there, `${name}.${process.pid}`);
      fs.copyFileSync(path.join(here, name), part);
      fs.renameSync(part, path.join(there, name));
    }
  }

  async serve(...args) {
    this.shareWords(false);
    this.port ??= 0;
    this.child = spawn(this.program, ['serve', '--no-open', '--listen', `127.0.0.1:${this.port}`, ...args], { env: this.environment, cwd: this.home, stdio: ['ignore', 'pipe', 'pipe'] });
    this.said = '';
    this.child.stderr.on('data', (data) => (this.said += data));
    this.ended = new Promise((resolve) => this.child.on('exit', (code, signal) => resolve(signal ?? code)));
    this.url = await new Promise((resolve, reject) => {
      let text = '';
      const timer = setTimeout(() => reject(new Error(`no address after ${START_MS} ms: ${this.said}`)), START_MS);
      this.child.stdout.on('data', (data) => {
        text += data;
        if (!text.includes('\n')) return;
        clearTimeout(timer);
        resolve(text.split('\n')[0]);
      });
      this.child.on('exit', (code) => reject(new Error(`ended with ${code} before it listened: ${this.said}`)));
    });
    const address = new URL(this.url);
    this.origin = address.origin;
    this.port = Number(address.port);
    this.token = address.searchParams.get('token');
  }

  /** SIGTERM, and how it ended. */
  async stop(signal = 'SIGTERM') {
    if (!this.child) return null;
    const began = Date.now();
    this.child.kill(signal);
    const how = await this.ended;
    this.child = null;
    if (signal === 'SIGTERM') assert.ok(Date.now() - began < STOP_MS, `it took ${Date.now() - began} ms to end`);
    return how;
  }

  async api(route, init = {}) {
    const response = await fetch(`${this.origin}/api/v1${route}`, { ...init, headers: { Authorization: `Bearer ${this.token}`, ...init.headers } });
    return { code: response.status, body: response.headers.get('content-type')?.includes('json') ? await response.json() : null };
  }

  async order(route, body) {
    return this.api(route, { method: 'POST', ...(body ? { headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) } : {}) });
  }

  /** Asks for snapshots until one is as wanted. */
  async until(wanted, what) {
    const deadline = Date.now() + WAIT_MS;
    for (;;) {
      const { body } = await this.api('/snapshot');
      if (wanted(body)) return body;
      assert.ok(Date.now() < deadline, `${what} did not come; last seen: ${JSON.stringify(body).slice(0, 1500)}`);
      await sleep(50);
    }
  }

  /** Learns a folder to the end, without a page. */
  async learn(...roots) {
    const { code, body } = await this.order('/job', { roots });
    assert.equal(code, 202, JSON.stringify(body));
    return this.until((now) => now.job && !now.job.running && now.job.number >= body.job.number, 'the end of learning');
  }

  /** A new tab of `context` (a browser profile of its own when there is none), at a path of the page. */
  async page(to = '/', { context, viewport = { width: 1440, height: 900 }, ...options } = {}) {
    const profile = context ?? (await this.browser.newContext({ viewport, ...options }));
    if (!context) this.contexts.push(profile);
    profile.setDefaultTimeout(WAIT_MS);
    const page = await profile.newPage();
    page.on('request', (request) => {
      const { protocol, hostname } = new URL(request.url());
      if (protocol !== 'blob:' && hostname !== '127.0.0.1') this.problems.push(`a request left the machine: ${request.url()}`);
    });
    page.on('pageerror', (error) => this.problems.push(`error in the page: ${error.stack ?? error}`));
    page.on('console', (message) => {
      // A request that is answered with an error code, or by nobody, is the business of the test that makes it so.
      if (message.type() === 'error' && !/Failed to load resource|ERR_CONNECTION/.test(message.text())) this.problems.push(`console: ${message.text()}`);
    });
    await page.goto(context ? this.origin + to : this.url);
    if (!context && to !== '/') await page.goto(this.origin + to);
    return page;
  }

  async close() {
    for (const context of this.contexts) await context.close();
    await this.stop();
    for (const end of this.ends) end();
    this.shareWords(true);
    fs.rmSync(this.home, { recursive: true, force: true });
    assert.deepEqual(this.problems, []);
  }
}

export const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** Accessibility: WCAG A and AA, and good practice. */
export async function axe(page) {
  await page.evaluate(axeSource);
  // Colours in the middle of a fade are nobody's colours.
  await page.evaluate(async () => {
    const frame = () => new Promise((resolve) => requestAnimationFrame(resolve));
    do {
      await Promise.all(document.getAnimations().map((animation) => animation.finished.catch(() => {})));
      await frame().then(frame);
    } while (document.getAnimations().some((animation) => animation.playState === 'running'));
  });
  const { violations } = await page.evaluate((rules) => globalThis.axe.run(document, rules), axeRules);
  const told = violations.map((one) => `${one.id}: ${one.help}\n    ${one.nodes.map((node) => `${node.target.join(' ')} ${node.failureSummary}`).join('\n    ')}`);
  assert.deepEqual(told, [], told.join('\n'));
}

/** Where the real photographs are; null: not on this machine. */
export function realPhotos() {
  const dir = path.join(process.env.PD_SHARED ?? '', 'photos', 'camera');
  return process.env.PD_SHARED && fs.existsSync(dir) ? fs.realpathSync(dir) : null;
}

let learnedOnce = null; // a folder with the library of the real photographs, for the cases that come after

/** Serves a library of the real photographs: learned by the first case that asks, given to the others as files. */
export async function serveReal(place) {
  const photos = realPhotos();
  if (!photos) throw new Skip('no real photographs here');
  if (learnedOnce === null) {
    await place.serve();
    await place.learn(photos);
    await place.until(({ annotation }) => annotation && !annotation.running, 'the end of tagging');
    await place.stop();
    const kept = fs.mkdtempSync(path.join(os.tmpdir(), 'pd-page-'));
    process.on('exit', () => fs.rmSync(kept, { recursive: true, force: true }));
    for (const name of ['data', 'cache']) fs.cpSync(path.join(place.home, name), path.join(kept, name), { recursive: true });
    learnedOnce = kept;
  } else {
    for (const name of ['data', 'cache']) fs.cpSync(path.join(learnedOnce, name), path.join(place.home, name), { recursive: true });
  }
  await place.serve();
}

export const launch = () => chromium.launch({ executablePath: CHROMIUM, args: CHROMIUM_FLAGS });

/** Runs the cases one after the other; a line each. A case that needs what is absent throws a Skip. */
export class Skip extends Error {}

export async function runCases(program, cases, { shots, only = [] }) {
  const browser = await launch();
  let failed = 0;
  for (const [name, test] of Object.entries(cases)) {
    if (only.length && !only.some((word) => name.startsWith(word))) continue;
    const place = new Place(program, browser);
    const began = Date.now();
    let error = null;
    try {
      await test(place);
    } catch (thrown) {
      error = thrown;
    }
    if (error && !(error instanceof Skip)) {
      fs.mkdirSync(shots, { recursive: true });
      for (const page of place.contexts.flatMap((context) => context.pages())) await page.screenshot({ path: path.join(shots, `${name}.png`) }).catch(() => {});
    }
    try {
      await place.close();
    } catch (thrown) {
      error ??= thrown;
    }
    if (error instanceof Skip) console.log(`skip ${name}: ${error.message}`);
    else if (error) console.log(`FAIL ${name}\n${error.stack ?? error}\n${place.said ?? ''}`);
    else console.log(`ok   ${name} (${((Date.now() - began) / 1000).toFixed(1)} s)`);
    if (error && !(error instanceof Skip)) failed++;
  }
  await browser.close();
  return failed;
}
