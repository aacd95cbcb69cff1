// pictures.mjs PHOTOS: makes docs/pictures/*.webp again, from the real program (build/pixel-detective) and real photos.
//
// PHOTOS is a folder of photos with a list beside it, PHOTOS.jsonl, whose rows name `file` and `source`; only those whose
// source lets them be shown (FREE) are taken. `sh tests/packages.sh tests/page` fetches what drives the browser.

import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { Place } from '../tests/page/harness.mjs';

const { chromium } = createRequire(new URL('../tests/page/', import.meta.url))('playwright-core');
const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const FREE = 'drewnoakes/metadata-extractor-images'; // "You are free to use these however you wish" (its README)
const BYTES_MAX = 300_000; // of one picture
const QUERY = 'a tent in the mountains';
const OPENED = 'olympus-c720uz.jpg';
const MIDDLE = 14; // learned, when the picture of Loading is taken

/** As WebP, by the browser itself: smaller until it fits. */
async function save(page, name) {
  const png = (await page.screenshot()).toString('base64');
  const tool = await page.context().browser().newPage();
  for (const quality of [0.9, 0.82, 0.74, 0.66]) {
    const webp = await tool.evaluate(async ([data, q]) => {
      const bytes = Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0));
      const bitmap = await createImageBitmap(new Blob([bytes], { type: 'image/png' }));
      const canvas = document.createElement('canvas');
      [canvas.width, canvas.height] = [bitmap.width, bitmap.height];
      canvas.getContext('2d').drawImage(bitmap, 0, 0);
      return canvas.toDataURL('image/webp', q).split(',')[1];
    }, [png, quality]);
    const bytes = Buffer.from(webp, 'base64');
    if (bytes.length > BYTES_MAX) continue;
    fs.writeFileSync(path.join(root, 'docs/pictures', `${name}.webp`), bytes);
    await tool.context().close();
    console.log(`${name}.webp: ${bytes.length} bytes, quality ${quality}`);
    return;
  }
  throw new Error(`${name} does not fit into ${BYTES_MAX} bytes`);
}

/** Every picture that is seen has come. */
async function settled(page) {
  await page.waitForFunction(() => [...document.images].every((image) => image.complete));
  await page.waitForTimeout(600);
}

const photos = process.argv[2];
assert.ok(photos, 'which photos?');
const free = fs.readFileSync(`${photos}.jsonl`, 'utf8').trim().split('\n').map((line) => JSON.parse(line)).filter((row) => row.source === FREE);
const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox', '--disable-gpu', '--hide-scrollbars'] });
const place = new Place(path.join(root, 'build/pixel-detective'), browser);
try {
  const folder = place.folder('Pictures');
  for (const { file, datetime_original: taken } of free) {
    const year = /^(?!0000)\d{4}/.exec(taken ?? '')?.[0] ?? 'Without a date';
    fs.mkdirSync(path.join(folder, year), { recursive: true });
    fs.copyFileSync(path.join(photos, file), path.join(folder, year, file));
  }
  place.folder('Downloads');
  await place.serve('--threads', '1');
  const page = await place.page('/start', { viewport: { width: 1280, height: 800 }, deviceScaleFactor: 1.5 });
  await page.locator('#path-state strong').waitFor();
  await settled(page);
  await save(page, 'start');

  await place.order('/job', { roots: [folder] });
  await place.order('/job/speed', { speed: 'gentle' });
  await page.goto(`${place.origin}/loading`);
  await place.until((now) => now.job.learned >= MIDDLE, 'the middle');
  await page.getByText(/pictures a second/).waitFor();
  await page.waitForFunction(() => [...document.images].filter((image) => image.complete).length >= 9);
  await save(page, 'loading');

  await place.order('/job/speed', { speed: 'full' });
  await place.until((now) => !now.job.running, 'the end');
  assert.equal((await place.order('/settings', { captions: true })).code, 200);
  await place.until(({ annotation }) => annotation && !annotation.running && annotation.captioned > 0, 'the captions');
  await page.goto(`${place.origin}/search?q=${encodeURIComponent(QUERY)}`);
  await page.getByRole('gridcell').first().waitFor();
  await settled(page);
  await save(page, 'explore');

  await page.goto(`${place.origin}/models`);
  await page.getByRole('heading', { name: 'Models' }).first().waitFor();
  await settled(page);
  await save(page, 'models');
  await page.goBack();
  await page.getByRole('gridcell').first().waitFor();

  await page.emulateMedia({ colorScheme: 'dark' });
  const { body } = await place.api('/search?q=&n=1000');
  const { id } = body.hits.find((hit) => hit.path.endsWith(OPENED));
  await page.locator(`[role=gridcell] a[href="/photo/${id}"]`).click();
  await page.waitForFunction(() => [...document.querySelectorAll('.PhotoView img')].some((image) => image.src.includes('/view') && image.complete && image.naturalWidth > 400));
  await page.getByText('Looks like it').waitFor();
  await settled(page);
  await save(page, 'photo');
} finally {
  await place.close();
  await browser.close();
}
