// Screen 1: choosing a folder.

import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { axe, sleep } from './harness.mjs';

const pathField = (page) => page.getByRole('textbox', { name: 'Folder with pictures' });
const listed = (page) => page.getByRole('listbox', { name: /^Folders in/ });

export async function start_says_what_a_typed_path_is(place) {
  place.folder('Pictures/Holiday', 3);
  place.folder('Pictures/Empty');
  fs.writeFileSync(path.join(place.home, 'Pictures/notes.txt'), 'no picture');
  await place.serve();
  const page = await place.page();
  await page.getByRole('heading', { name: 'Where are your pictures?' }).waitFor();
  assert.equal(new URL(page.url()).pathname, '/start');
  assert.ok(!page.url().includes('token'), 'the token stays in the address');
  await page.waitForFunction(() => document.activeElement?.id === 'path');
  const said = page.locator('#path-state');
  for (const [typed, sentence] of [
    ['~/Pictures/Holiday', '3 pictures'],
    ['~/Pictures', '3 pictures'],
    ['~/Pictures/Empty', 'There are no pictures in this folder'],
    ['~/Pictures/notes.txt', 'is not a folder'],
    ['~/Pictures/nowhere/at/all', 'no folder'],
  ]) {
    await pathField(page).fill(typed);
    await said.filter({ hasText: new RegExp(sentence.replace('is not a folder', '(not a folder|is a file)').replace('no folder', '[Nn]o (such )?folder')) }).waitFor();
  }
  await pathField(page).fill('~/Pictrues');
  await said.getByRole('button', { name: '~/Pictures' }).click();
  await said.filter({ hasText: '3 pictures' }).waitFor();
  await axe(page);
}

export async function start_completes_with_tab_and_begins_with_enter(place) {
  place.folder('Pictures/Winter in Norway', 4);
  await place.serve();
  const page = await place.page();
  await pathField(page).fill('~/Pictures/Win');
  await page.keyboard.press('Tab');
  await page.waitForFunction(() => document.getElementById('path').value.includes('Winter in Norway'));
  await page.keyboard.press('Enter');
  await page.waitForURL('**/loading');
  await page.getByRole('heading', { name: /4 pictures are learned|Getting to know/ }).waitFor();
}

export async function start_browses_folders_by_keyboard(place) {
  place.folder('Pictures/Alps', 1);
  place.folder('Pictures/Beach/Day one', 2, 10);
  place.folder('Pictures/.hidden', 1, 20);
  fs.writeFileSync(path.join(place.home, 'Pictures/a file.txt'), 'x');
  await place.serve();
  const page = await place.page();
  await page.getByRole('navigation', { name: 'Places' }).getByRole('button', { name: /Pictures/ }).click();
  await page.getByRole('option', { name: /Alps/ }).waitFor();
  const names = await listed(page).getByRole('option').allInnerTexts();
  assert.ok(!names.some((name) => /hidden|a file/.test(name)), `files or hidden folders are listed: ${names}`);
  await listed(page).focus();
  await page.keyboard.press('b');
  await page.locator('[role=option][aria-selected=true]', { hasText: 'Beach' }).waitFor();
  await page.keyboard.press('ArrowRight');
  await page.getByRole('option', { name: /Day one/ }).waitFor();
  await page.keyboard.press('ArrowLeft');
  await page.getByRole('option', { name: /Alps/ }).waitFor();
  await page.keyboard.press('Home');
  await page.keyboard.press('Enter');
  await page.waitForURL('**/loading');
  await place.until((now) => now.job && !now.job.running && now.job.learned === 3, 'three pictures');
}

export async function start_shows_what_is_known_and_goes_on_from_there(place) {
  const known = place.folder('Pictures', 5);
  await place.serve();
  await place.learn(known);
  const page = await place.page('/start');
  const card = page.getByRole('link', { name: /Pictures.*5 photos/s });
  await card.waitFor();
  await page.waitForFunction(() => [...document.querySelectorAll('.LibraryCard img')].some((img) => img.complete && img.naturalWidth > 0));
  await axe(page);
  await card.click();
  await page.waitForURL('**/search');
  await page.getByRole('grid').waitFor();
  await page.goBack();
  await page.getByRole('heading', { name: 'Where are your pictures?' }).waitFor();
}

export async function start_refuses_what_lies_outside_of_the_browse_root(place) {
  const inside = place.folder('inside', 2);
  place.folder('outside', 2);
  await place.serve('--browse-root', inside);
  const page = await place.page();
  await pathField(page).fill('~/outside');
  await page.locator('#path-state').filter({ hasText: /outside/ }).waitFor();
  await page.keyboard.press('Enter');
  await sleep(300);
  assert.equal(new URL(page.url()).pathname, '/start');
  assert.equal((await place.order('/job', { roots: [path.join(place.home, 'outside')] })).code, 403);
}

export async function start_without_the_key_says_where_it_is(place) {
  place.folder('Pictures', 1);
  await place.serve();
  const page = await place.page();
  await page.context().clearCookies();
  await page.goto(`${place.origin}/`);
  await page.getByText(/no key|the terminal/i).first().waitFor();
  await axe(page);
}
