// Screen 3: search by words, by example, and the photo itself.

import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { axe, eventually, png, serveReal, sleep } from './harness.mjs';

const cells = (page) => page.getByRole('gridcell');
const box = (page) => page.getByRole('combobox', { name: 'Search' });
const nameOf = async (cell) => (await cell.getByRole('link').getAttribute('aria-label')).split(',')[0];

const foundFirst = (page, name) => page.waitForFunction((wanted) => /^\S+, strong match/.test(document.querySelector('[role=gridcell] a')?.ariaLabel ?? '') && document.querySelector('[role=gridcell] a').ariaLabel.startsWith(wanted), name);

async function exploring(place, n = 40, options = {}) {
  const folder = place.folder('Pictures', n);
  await place.serve();
  await place.learn(folder);
  return place.page('/', options);
}

async function exploringReal(place, options = {}) {
  await serveReal(place);
  return place.page('/', options);
}

export async function explore_finds_by_words_and_keeps_it_in_the_address(place) {
  const page = await exploringReal(place);
  await page.waitForURL('**/search');
  await cells(page).first().waitFor();
  await page.keyboard.press('/');
  await page.keyboard.type('people on the beach');
  await page.keyboard.press('Enter');
  await page.waitForURL('**/search?q=people+on+the+beach');
  const expected = (await place.api('/search?q=people+on+the+beach&n=5')).body;
  await page.waitForFunction((name) => document.querySelector('[role=gridcell] a')?.getAttribute('aria-label')?.startsWith(name), path.basename(expected.hits[0].path));
  assert.match(await cells(page).first().getByRole('link').getAttribute('aria-label'), /(strong|weaker) match, \d+ of 100, /);
  await page.getByRole('status').filter({ hasText: /(\d+ strong|No strong match) (of|among) \d+/ }).first().waitFor();
  await axe(page);
  await page.reload();
  await page.waitForFunction((name) => document.querySelector('[role=gridcell] a')?.getAttribute('aria-label')?.startsWith(name), path.basename(expected.hits[0].path));
  assert.equal(await box(page).inputValue(), 'people on the beach');
  await page.getByRole('combobox', { name: 'Order' }).selectOption('name');
  await page.waitForURL('**/search?q=people+on+the+beach&sort=name');
  await page.goBack();
  await page.waitForURL('**/search?q=people+on+the+beach');
}

export async function explore_opens_a_photo_zooms_turns_and_comes_back_to_the_same_place(place) {
  const page = await exploringReal(place);
  await cells(page).nth(3).waitFor();
  const name = await nameOf(cells(page).nth(3));
  await cells(page).nth(3).getByRole('link').click();
  await page.waitForURL('**/photo/*');
  await page.getByRole('heading', { name }).waitFor({ state: 'attached' });
  await page.getByRole('complementary', { name: 'Case file' }).getByText('The file').waitFor();
  await page.waitForFunction(() => [...document.querySelectorAll('.PhotoView img')].some((img) => img.src.includes('/view') && img.complete && img.naturalWidth > 320));
  await axe(page);
  await page.keyboard.press('z');
  await sleep(400);
  await page.keyboard.press('z');
  await page.keyboard.press('ArrowRight');
  await page.waitForFunction((old) => document.querySelector('.PhotoView h1')?.textContent !== old, name);
  await page.keyboard.press('ArrowLeft');
  await page.getByRole('heading', { name }).waitFor({ state: 'attached' });
  await page.keyboard.press('i');
  await page.getByRole('complementary', { name: 'Case file' }).waitFor({ state: 'hidden' });
  await page.keyboard.press('i');
  await page.keyboard.press('Escape');
  await page.waitForURL('**/search');
  await page.waitForFunction((wanted) => document.activeElement?.getAttribute('aria-label')?.startsWith(wanted), name);
}

export async function explore_shows_what_the_camera_wrote(place) {
  const page = await exploringReal(place);
  const { hits } = (await place.api('/search?q=&n=100')).body;
  const hit = hits.find(({ path: file }) => file.endsWith('canon-powershot-a70.jpg'));
  assert.ok(hit, 'the photo is not there');
  await page.goto(`${place.origin}/photo/${hit.id}`);
  const file = page.getByRole('complementary', { name: 'Case file' });
  await file.getByText(/PowerShot A70/).waitFor();
  await file.getByText(/2004/).first().waitFor();
  await page.keyboard.press('Escape');
  await page.waitForURL('**/search');
}

export async function explore_more_like_this_and_several_examples(place) {
  const page = await exploring(place);
  await cells(page).first().waitFor();
  await cells(page).first().getByRole('link').focus();
  await page.keyboard.press('m');
  await page.waitForURL('**/similar?ids=*');
  await page.getByRole('region', { name: 'What to look for' }).getByText('This photo').waitFor();
  await cells(page).nth(1).waitFor();
  const ids = new URL(page.url()).searchParams.get('ids');
  const like = (await place.order('/similar', { ids: [Number(ids)], n: 3 })).body;
  await eventually(async () => assert.equal(await nameOf(cells(page).first()), path.basename(like.hits[0].path)));
  await axe(page);
  await cells(page).first().getByRole('link').focus();
  await page.keyboard.press('Shift+M');
  await page.waitForURL(/ids=\d+(,|%2C)\d+/);
  await page.goBack();
  await page.waitForURL(`**/similar?ids=${ids}`);
  await page.goBack();
  await page.waitForURL('**/search');
}

export async function explore_searches_with_a_chosen_dropped_and_pasted_picture_and_stores_nothing(place) {
  const page = await exploring(place);
  await cells(page).first().waitFor();
  // what is prepared of a model, and for its tags, may come at any time; it holds nothing of a picture
  const stored = () => fs.readdirSync(path.join(place.home, 'cache'), { recursive: true }).filter((name) => !name.includes('prepared')).length;
  const files = stored();
  await page.getByLabel('Picture to search with').setInputFiles({ name: 'mine.png', mimeType: 'image/png', buffer: png(7) });
  await page.waitForURL('**/similar');
  await page.getByRole('region', { name: 'What to look for' }).getByText('mine.png').waitFor();
  await foundFirst(page, 'picture-0006.png');
  await axe(page);
  for (const [kind, seed] of [['drop', 3], ['paste', 5]]) {
    await page.goto(`${place.origin}/search`);
    await cells(page).first().waitFor();
    const data = await page.evaluateHandle(({ bytes, name }) => {
      const transfer = new DataTransfer();
      transfer.items.add(new File([new Uint8Array(bytes)], name, { type: 'image/png' }));
      return transfer;
    }, { bytes: [...png(seed)], name: `${kind}.png` });
    if (kind === 'drop') {
      await page.dispatchEvent('body', 'dragenter', { dataTransfer: data });
      await page.getByText('Drop to search with this picture.').waitFor();
      await page.dispatchEvent('body', 'drop', { dataTransfer: data });
    } else {
      await page.evaluate((transfer) => document.body.dispatchEvent(new ClipboardEvent('paste', { clipboardData: transfer, bubbles: true, cancelable: true })), data);
    }
    await page.waitForURL('**/similar');
    await foundFirst(page, `picture-${String(seed - 1).padStart(4, '0')}.png`);
  }
  assert.equal(stored(), files, 'a picture was stored');
  await page.reload();
  await page.getByText('was looked at, never stored').waitFor();
}

export async function explore_says_what_is_wrong_with_a_picture_that_is_none(place) {
  const page = await exploring(place, 5);
  await cells(page).first().waitFor();
  await page.getByLabel('Picture to search with').setInputFiles({ name: 'story.png', mimeType: 'image/png', buffer: Buffer.from('once upon a time') });
  await page.getByRole('heading', { name: 'story.png cannot be searched with' }).waitFor();
  await page.getByText('The content is not a picture of a known kind.').waitFor();
  await axe(page);
}

export async function explore_moves_over_the_grid_by_keyboard(place) {
  const page = await exploring(place, 120);
  await cells(page).first().waitFor();
  await cells(page).first().getByRole('link').focus();
  const item = () => page.evaluate(() => Number(document.activeElement.closest('[data-item]')?.dataset.item));
  assert.equal(await item(), 0);
  await page.keyboard.press('ArrowRight');
  await eventually(async () => assert.equal(await item(), 1));
  await page.keyboard.press('ArrowDown');
  await eventually(async () => assert.ok((await item()) > 2));
  await page.keyboard.press('End');
  await page.waitForFunction(() => Number(document.activeElement.closest('[data-item]')?.dataset.item) > 2);
  await page.keyboard.press('Control+End');
  await page.keyboard.press('PageDown');
  await page.keyboard.press('Control+Home');
  await page.waitForFunction(() => Number(document.activeElement.closest('[data-item]')?.dataset.item) === 0);
  await page.keyboard.press('?');
  await page.getByRole('dialog').waitFor();
  await axe(page);
  await page.keyboard.press('Escape');
}

/** What the queue writes comes by itself; who says it is told, and a doubtful caption asks. */
export async function explore_tells_under_a_tile_what_is_said_of_the_photo(place) {
  const page = await exploring(place, 4);
  await cells(page).first().waitFor();
  const mine = (await place.api('/search?q=&n=4')).body.hits[0].id;
  await place.order('/edit', { photos: [mine], caption: 'Our old flag' });
  assert.equal(await page.locator('.PhotoTile__name').count(), 0);
  await place.order('/settings', { captions: true });
  await page.waitForFunction(() => document.querySelectorAll('.PhotoTile__name').length === 4);
  const { hits } = (await place.api('/search?q=&n=4')).body;
  for (const { id, path: file, caption, caption_by, caption_doubtful } of hits) {
    const tile = page.getByRole('gridcell').filter({ has: page.locator(`a[href="/photo/${id}"]`) });
    const words = tile.locator('.PhotoTile__name');
    const shown = await words.innerText();
    assert.equal(caption_by, id === mine ? 'user' : 'machine');
    assert.equal(shown.toLowerCase().replace(/[?]$/, ''), (id === mine ? 'Our old flag' : caption).toLowerCase());
    assert.equal(shown.endsWith('?'), caption_doubtful);
    assert.equal((await words.getAttribute('data-doubtful')) !== null, caption_doubtful);
    const said = `${id === mine ? 'Said by you' : caption_doubtful ? 'Seen by the model, may be wrong' : 'Seen by the model'}: ${shown}`;
    assert.equal(await words.getAttribute('title'), said);
    const label = await tile.getByRole('link').getAttribute('aria-label');
    assert.ok(label.startsWith(`${said}, `) && label.endsWith(path.basename(file)), label);
  }
  await axe(page);
  await page.emulateMedia({ colorScheme: 'dark', contrast: 'more' });
  await axe(page);
  await page.setViewportSize({ width: 390, height: 844 });
  await page.locator('.PhotoTile__name').first().waitFor({ state: 'hidden' }); // no room: the name of the tile has it
  await axe(page);
}

export async function explore_fits_a_phone(place) {
  const page = await exploringReal(place, { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, hasTouch: true });
  await cells(page).first().waitFor();
  assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), 'the page is wider than the phone');
  await axe(page);
  await cells(page).first().getByRole('link').click();
  await page.waitForURL('**/photo/*');
  await axe(page);
}

export async function explore_in_the_dark_and_with_more_contrast(place) {
  const page = await exploring(place, 12, { colorScheme: 'dark' });
  await cells(page).first().waitFor();
  await axe(page);
  await page.emulateMedia({ colorScheme: 'light', contrast: 'more' });
  await axe(page);
  await page.goto(`${place.origin}/start`);
  await page.getByRole('heading', { name: 'Where are your pictures?' }).waitFor();
  await page.emulateMedia({ colorScheme: 'dark', contrast: 'more' });
  await axe(page);
}

export async function explore_tells_of_an_error_and_leads_out_of_it(place) {
  const page = await exploring(place, 5);
  await cells(page).first().waitFor();
  await place.stop();
  fs.writeFileSync(path.join(place.home, 'data/pixel-detective/catalogue.sqlite'), 'this is no database, however one looks at it. '.repeat(40));
  for (const rest of ['-wal', '-shm']) fs.rmSync(path.join(place.home, `data/pixel-detective/catalogue.sqlite${rest}`), { force: true });
  await place.serve();
  await page.goto(place.url);
  await page.waitForURL('**/error');
  await page.getByRole('button', { name: /Try again/ }).waitFor();
  await axe(page);
}

export async function explore_absent_views_are_absent(place) {
  const page = await exploring(place, 3);
  await cells(page).first().waitFor();
  const rail = await page.locator('nav').first().innerText();
  for (const view of ['Map', 'Game', 'Duplicates', 'Tags']) assert.ok(!rail.includes(view), `${view} is shown and does not exist`);
  const disabled = await page.locator('button:disabled, [aria-disabled=true]').count();
  assert.equal(disabled, 0, 'something is greyed out');
}
