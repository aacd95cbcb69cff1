// Screen 2: the job, live.

import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { axe, eventually, png, realPhotos, Skip, sleep } from './harness.mjs';

const MANY = 500; // some seconds of work, so that there is something to pause
const QUIET_MS = 2000; // paused: nothing is counted for this long
const bar = (page) => page.getByRole('progressbar', { name: 'Overall progress' });
const button = (page, name) => page.getByRole('button', { name, exact: true });

/** A job that is paused near its beginning, gentle from then on, and the page that shows it: however slow the page, and
 * however quick the job, the one finds the other in its middle. */
async function loading(place, n = MANY) {
  const folder = place.folder('Pictures', n);
  await place.serve('--threads', '1', folder);
  await place.until((now) => now.job?.learned > 0, 'a first learned picture');
  await place.order('/job/pause');
  await place.order('/job/speed', { speed: 'gentle' });
  const { job } = (await place.api('/snapshot')).body;
  assert.ok(job.running && job.paused, 'the job was over before it could be paused');
  const page = await place.page('/loading');
  await button(page, 'Resume').waitFor();
  return page;
}

const resume = (place) => place.order('/job/resume');
const hurry = (place) => place.order('/job/speed', { speed: 'full' });

/** Waits until nothing is counted any more, and says how long after `began` that was: told, not judged, on a busy machine. */
async function still(place, began) {
  let { job } = (await place.api('/snapshot')).body;
  let changed = Date.now();
  while (Date.now() - changed < QUIET_MS) {
    await sleep(50);
    const { job: now } = (await place.api('/snapshot')).body;
    if (now.done !== job.done) changed = Date.now();
    job = now;
  }
  console.log(`     the last picture was counted ${changed - began} ms after the pause`);
  return job;
}

export async function loading_shows_phases_counts_and_the_way_to_search(place) {
  const page = await loading(place);
  await page.getByRole('heading', { name: `Getting to know ${MANY} pictures` }).waitFor();
  await page.getByRole('link', { name: /^Search the [\d,]+ learned so far$/ }).waitFor();
  await page.locator('.Phases__item[data-state=now]', { hasText: 'Learn pictures' }).waitFor();
  await page.getByRole('region', { name: 'Just learned' }).locator('img').first().waitFor();
  await axe(page);
  await resume(place);
  await page.waitForFunction(() => /^Learning pictures, [\d,]+ of 500/.test(document.querySelector('[role=progressbar]')?.getAttribute('aria-valuetext')) && /^\d+ %/.test(document.title));
  const seen = [];
  for (let i = 0; i < 10; i++) {
    seen.push(Number(await bar(page).getAttribute('aria-valuenow')));
    await sleep(50);
  }
  assert.deepEqual(seen, [...seen].sort((a, b) => a - b), 'the bar went back');
  await place.order('/job/pause');
  await page.getByRole('link', { name: /^Search the/ }).click();
  await page.waitForURL('**/search');
  await page.getByRole('gridcell').first().waitFor();
  await page.goBack();
  await bar(page).waitFor();
}

export async function loading_pauses_resumes_and_ends(place) {
  const page = await loading(place);
  await resume(place);
  await button(page, 'Pause').waitFor();
  const began = Date.now();
  await page.locator('body').press('Space');
  await button(page, 'Resume').waitFor();
  const paused = await still(place, began);
  assert.ok(paused.running && paused.paused);
  await page.getByText('paused').first().waitFor();
  await axe(page);
  await button(page, 'Resume').click();
  await place.until((now) => now.job.done > paused.done, 'work after resume');
  await page.getByRole('radio', { name: 'Full' }).click();
  await place.until((now) => now.job.speed === 'full', 'full speed');
  await page.getByRole('heading', { name: `${MANY} pictures are learned` }).waitFor();
  await eventually(async () => assert.equal(await bar(page).getAttribute('aria-valuenow'), '100'));
}

export async function loading_goes_on_to_search_by_itself_when_nobody_moves(place) {
  const page = await loading(place, 250);
  await hurry(place);
  await resume(place);
  await page.getByText(/Search opens in \d s/).waitFor();
  await page.waitForURL('**/search');
}

export async function loading_cancels_and_keeps_what_is_learned(place) {
  const page = await loading(place);
  await resume(place);
  await place.until((now) => now.job.done >= 60, 'enough to ask before cancelling');
  await place.order('/job/pause');
  await button(page, 'Resume').waitFor(); // it has been told
  await button(page, 'Cancel').click();
  await page.getByRole('dialog').getByRole('button', { name: 'Stop learning' }).click();
  await page.getByRole('heading', { name: /^Stopped after/ }).waitFor();
  const { body } = await place.api('/snapshot');
  assert.equal(body.job.outcome, 'cancelled');
  assert.ok(body.library.learned > 0 && body.library.learned < MANY, JSON.stringify(body.library));
  assert.equal((await place.api('/search?q=anything&n=1')).body.total, body.library.learned);
  await axe(page);
  await hurry(place);
  await button(page, 'Go on learning').click();
  const done = await place.until((now) => now.job.number > body.job.number && !now.job.running, 'the rest');
  assert.equal(done.library.learned, MANY);
  assert.ok(done.job.unchanged >= body.library.learned, 'what was learned was learned again');
}

export async function loading_shows_the_same_after_a_reload_and_in_a_second_tab(place) {
  const page = await loading(place);
  const second = await place.page('/loading', { context: page.context() });
  await button(second, 'Resume').waitFor();
  await resume(place);
  await button(page, 'Pause').click();
  await button(second, 'Resume').waitFor();
  await page.reload();
  await button(page, 'Resume').waitFor();
  await page.waitForFunction(() => document.querySelector('[role=progressbar]')?.getAttribute('aria-valuenow') > 0);
  await eventually(async () => {
    const [one, two] = await Promise.all([page, second].map((tab) => bar(tab).getAttribute('aria-valuetext')));
    assert.equal(one, two);
    const logs = await Promise.all([page, second].map((tab) => tab.getByRole('log').innerText()));
    assert.equal(logs[0], logs[1]);
  });
  await button(second, 'Resume').click();
  await button(page, 'Pause').waitFor();
  await hurry(place);
  await page.getByRole('heading', { name: `${MANY} pictures are learned` }).waitFor();
  await second.getByRole('heading', { name: `${MANY} pictures are learned` }).waitFor();
}

export async function loading_lists_what_cannot_be_read_and_tries_again(place) {
  const folder = place.folder('Pictures', 6);
  const broken = path.join(folder, 'broken.png');
  fs.writeFileSync(broken, png(99).subarray(0, 60));
  await place.serve(folder);
  const page = await place.page('/loading');
  await page.getByRole('heading', { name: '6 pictures are learned, 1 set aside' }).waitFor();
  const faults = page.getByRole('region', { name: 'Pictures set aside' });
  await faults.getByText('broken.png').waitFor();
  await page.getByRole('log').locator('[data-level=warn], [data-level=error]').filter({ hasText: 'broken.png' }).first().waitFor();
  await axe(page);
  // Mended behind its back: same size and time, so that only 'retry' looks again.
  const { atime, mtime, size } = fs.statSync(broken);
  await faults.getByRole('button', { name: 'Retry it' }).click();
  const again = await place.until((now) => now.job.number > 1 && !now.job.running, 'the second try');
  assert.equal(again.job.failed, 1);
  fs.writeFileSync(broken, png(99, 40));
  fs.utimesSync(broken, atime, mtime);
  assert.notEqual(fs.statSync(broken).size, size);
  await faults.getByRole('button', { name: 'Retry it' }).click();
  const mended = await place.until((now) => now.job.number > again.job.number && !now.job.running, 'the third try');
  assert.equal(mended.library.learned, 7);
  await page.getByText('all could be read').waitFor();
}

export async function loading_says_when_a_folder_holds_no_pictures(place) {
  await place.serve(place.folder('Pictures'));
  const page = await place.page('/loading');
  await page.getByRole('heading', { name: 'There are no pictures in this folder' }).waitFor();
  await page.getByRole('link', { name: 'Choose another folder' }).first().click();
  await page.getByRole('heading', { name: 'Where are your pictures?' }).waitFor();
}

export async function loading_tells_when_the_program_is_gone_and_comes_back(place) {
  const page = await loading(place);
  await place.stop();
  await page.getByRole('alert').filter({ hasText: 'The program is not answering' }).waitFor();
  await axe(page);
  const before = place.token;
  await place.serve();
  assert.notEqual(place.token, before, 'the token was used twice');
  // A new start has a new key: the page says so, and the address that was printed opens it again.
  await page.getByText(/no key|the terminal/i).first().waitFor();
  await page.goto(place.url);
  await page.waitForURL('**/search');
}

export async function loading_real_photos_to_the_end(place) {
  const photos = realPhotos();
  if (!photos) throw new Skip('no real photographs here');
  await place.serve(photos);
  const page = await place.page('/loading');
  await page.getByRole('heading', { name: /pictures are learned/ }).waitFor();
  await page.mouse.move(5, 5); // somebody is there: it does not go on to search by itself
  const { job, library } = (await place.api('/snapshot')).body;
  assert.ok(library.learned >= 45, JSON.stringify(library));
  assert.equal(job.learned + job.unchanged + job.moved + job.failed, job.found);
  await axe(page);
}
