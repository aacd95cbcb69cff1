// pictures.mjs PROGRAM PHOTOS OUT: the pictures of the screens that README shows, from the real program learning PHOTOS.
// Needs the packages of tests/page, Chromium, and the right to make HOME (below), which must not exist: it is on the pictures.
//
//     node tools/pictures.mjs build/pixel-detective ../shared/photos/camera docs/pictures

import fs from 'node:fs';
import path from 'node:path';
import { launch, Place, sleep } from '../tests/page/harness.mjs';

const HOME = '/home/ada';
const QUERY = 'people in the snow';
const PHOTO = 'canon-powershot-a70.jpg';
const BYTES_MAX = 300_000; // each; they are read on slow lines too
const viewport = { width: 1280, height: 800 };

const [program, photos, out] = process.argv.slice(2);
if (fs.existsSync(HOME)) throw new Error(`${HOME} is somebody's`);

async function keep(page, name) {
  await page.mouse.move(viewport.width - 1, viewport.height - 1);
  await page.waitForFunction(() => [...document.images].every((img) => img.complete));
  await sleep(600); // what fades in is there
  const file = path.join(out, `${name}.jpg`);
  for (let quality = 90; ; quality -= 5) {
    await page.screenshot({ path: file, type: 'jpeg', quality });
    if (fs.statSync(file).size <= BYTES_MAX) break;
  }
  console.log(`${file}: ${fs.statSync(file).size} bytes`);
}

async function show(place) {
  fs.cpSync(photos, path.join(HOME, 'Pictures', 'Camera'), { recursive: true });
  for (const name of ['Downloads', 'Documents', 'Pictures/Scans', 'Pictures/Phone']) fs.mkdirSync(path.join(HOME, name), { recursive: true });
  await place.serve();
  const page = await place.page('/start', { viewport });
  await page.getByRole('textbox').first().fill('~/Pictures');
  await page.getByText(/\d+ pictures/).first().waitFor();
  await keep(page, 'start');

  await place.order('/job/speed', { speed: 'gentle' });
  await place.order('/job', { roots: [path.join(HOME, 'Pictures')] });
  await page.goto(`${place.origin}/loading`);
  await place.until((now) => now.job?.learned >= 18 || (now.job && !now.job.running), 'some learned pictures');
  await keep(page, 'loading');
  await place.order('/job/speed', { speed: 'full' });
  await place.until((now) => now.job && !now.job.running, 'the end of learning');

  await page.goto(`${place.origin}/search?q=${encodeURIComponent(QUERY)}`);
  await page.getByRole('gridcell').nth(8).waitFor();
  await keep(page, 'explore');

  const { hits } = (await place.api(`/search?q=${encodeURIComponent(QUERY)}&n=20`)).body;
  const hit = hits.find(({ path: file }) => file.endsWith(PHOTO)) ?? hits[0];
  await page.locator(`a[href*="/photo/${hit.id}"]`).first().click();
  await page.waitForFunction(() => [...document.querySelectorAll('.PhotoView img')].some((img) => img.src.includes('/view') && img.complete));
  await keep(page, 'photo');
}

const browser = await launch();
const place = new Place(path.resolve(program), browser);
try {
  place.home = HOME;
  place.environment.HOME = HOME;
  await show(place);
} finally {
  await place.close();
  await browser.close();
}
