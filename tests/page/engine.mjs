// Models and settings, and what the model says of a photo. Where a state is hard to bring about, a stand-in tells it
// (standin.mjs).

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { axe, eventually, serveReal, Skip } from './harness.mjs';
import { StandIn } from './standin.mjs';

const MB = 1_000_000;
const PHONE = { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, hasTouch: true };
const B32 = 'openai--clip-vit-base-patch32';

const model = (change) => ({
  key: 'tiny', name: 'Small', repository: null, revision: null, kind: 'search', built_in: true, complete: true, chosen: false, answering: false,
  licence: 'Apache-2.0', languages: 'English', text: 'Knows everyday things and places.', picture_ms: 2, dial: 2, download_bytes: 0, disk_bytes: 14 * MB,
  memory_bytes: 0, state: 'cold', fraction: null, idle_s: null, load_ms: null, error: null, learned: 0, ...change,
});
const far = (key, name, change = {}) =>
  model({ key, name, repository: key.replace('--', '/'), revision: '3d74acf9a28c67741b2f4f2ea7635f0aaf6f0268', built_in: false, complete: false, licence: 'MIT', text: 'A good step up.', picture_ms: 12, dial: 3, download_bytes: 605 * MB, disk_bytes: 0, state: 'absent', ...change });
const catalogue = () => [
  model({ chosen: true, answering: true, state: 'ready', memory_bytes: 31 * MB, load_ms: 30, learned: 3 }),
  far(B32, 'CLIP B/32'),
  far('openai--clip-vit-large-patch14', 'CLIP L/14', { picture_ms: 96, dial: 4, download_bytes: 890 * MB, languages: null }),
  model({ key: 'tiny-caption', name: 'Small captions', kind: 'captions', chosen: true, text: 'Writes a sentence for each photo.', picture_ms: 240, dial: 1, state: 'idle', idle_s: 720, learned: null }),
  far('Salesforce--blip-image-captioning-base', 'BLIP base', { kind: 'captions', picture_ms: 700, complete: true, state: 'failed', error: 'the checkpoint lacks text_decoder.cls.predictions.bias', disk_bytes: 248 * MB, learned: null }),
];

async function standing(place, n = 3) {
  const folder = place.folder('Pictures', n);
  await place.serve();
  await place.learn(folder);
  const stand = await new StandIn(place).start();
  stand.models = catalogue();
  stand.hub = { name: 'huggingface.co', offline: false };
  stand.set = { idle_s: 300, captions: false, threads: 2, threads_max: 8 };
  stand.answers['GET /models'] = () => ({ models: stand.models, hub: stand.hub, memory_bytes: 118 * MB, resting_bytes: 11 * MB });
  stand.answers['GET /settings'] = () => stand.set;
  stand.answers['POST /settings'] = (change) => (stand.set = { ...stand.set, ...change });
  return stand;
}

const row = (page, name) => page.getByRole('listitem', { name, exact: true });
const pull = (change) => ({ key: B32, repository: 'openai/clip-vit-base-patch32', phase: 'vision', running: true, done_bytes: 0, total_bytes: null, rate: null, eta_s: null, vision_ready: false, vision_bytes: null, outcome: null, message: null, ...change });

async function inEveryLight(page) {
  for (const colorScheme of ['dark', 'light']) {
    await page.emulateMedia({ colorScheme });
    await axe(page);
  }
  assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), 'the page is wider than the window');
}

export async function engine_lists_the_models_with_what_they_cost(place) {
  const stand = await standing(place);
  const page = await stand.page('/search');
  await page.getByRole('navigation', { name: 'Views' }).getByRole('link', { name: 'Models' }).click();
  await page.waitForURL('**/models');
  await page.getByRole('heading', { name: 'Models', level: 1 }).waitFor();
  await row(page, 'Small').getByText('Ready, in use').waitFor();
  assert.equal(await page.getByRole('list', { name: 'Search' }).getByRole('listitem').count(), 3);
  assert.equal(await page.getByRole('list', { name: 'Captions' }).getByRole('listitem').count(), 2);
  await eventually(async () => assert.match(await page.locator('.Gauge').innerText(), /118 MB[\s\S]*After 5 min idle[\s\S]*11 MB/));
  assert.match(await row(page, 'CLIP L/14').innerText(), /openai\/clip-vit-large-patch14, MIT[\s\S]*Not here[\s\S]*890 MB[\s\S]*96 ms/);
  await row(page, 'CLIP L/14').getByRole('img', { name: '4 of 5' }).waitFor();
  await row(page, 'BLIP base').getByRole('alert').getByText('the checkpoint lacks').waitFor();
  assert.ok(await row(page, 'Small').getByRole('button', { name: 'In use: Small' }).isDisabled());
  await page.getByText(/^Changing the search model learns the library again: 3 photos take about .* with CLIP B\/32/).waitFor();
  assert.equal(await page.title(), 'Models · Pixel Detective');
  await inEveryLight(page);
  await page.keyboard.press('Escape');
  await page.waitForURL('**/search');
  await page.keyboard.press('g');
  await page.keyboard.press('e');
  await page.waitForURL('**/models');
  await stand.stop();
}

export async function engine_lists_the_models_on_a_phone(place) {
  const stand = await standing(place);
  const page = await stand.page('/models', PHONE);
  await row(page, 'CLIP B/32').waitFor();
  await inEveryLight(page);
  const sizes = await page.locator('.Engine .Button').evaluateAll((buttons) => buttons.map((button) => button.getBoundingClientRect().height));
  assert.ok(sizes.length > 4 && sizes.every((height) => height >= 44), `too small for a finger: ${sizes}`);
  await page.getByRole('link', { name: 'Settings' }).click();
  await page.getByText('Put models away when idle').waitFor();
  await inEveryLight(page);
  await stand.stop();
}

export async function engine_fetches_a_model_after_saying_what_and_from_where(place) {
  const stand = await standing(place);
  stand.answers['POST /models/pull'] = () => {
    stand.change({ pull: pull({ phase: 'list' }) });
    return 'snapshot';
  };
  stand.answers['POST /models/pull/cancel'] = () => {
    stand.models[1] = far(B32, 'CLIP B/32', { state: 'partial', disk_bytes: 340 * MB });
    stand.change({ pull: pull({ running: false, done_bytes: 340 * MB, total_bytes: 605 * MB, outcome: 'cancelled' }) });
    return 'snapshot';
  };
  const page = await stand.page('/models');
  await row(page, 'CLIP B/32').getByRole('button', { name: 'Get: CLIP B/32' }).focus();
  await page.keyboard.press('Enter');
  const dialog = page.getByRole('dialog', { name: 'Get CLIP B/32?' });
  for (const text of ['huggingface.co/openai/clip-vit-base-patch32', '605 MB', 'MIT', '3d74acf9a28c67741b2f4f2ea7635f0aaf6f0268']) await dialog.getByText(text, { exact: true }).waitFor();
  await inEveryLight(page);
  assert.deepEqual(stand.asked.filter((one) => one.startsWith('POST')), [], 'asked before the reader agreed');
  await dialog.getByRole('checkbox').check();
  await dialog.getByRole('button', { name: 'Get 605 MB' }).click();
  await row(page, 'CLIP B/32').getByText('Asking what there is').waitFor();
  assert.deepEqual(stand.asked.filter((one) => one.startsWith('POST')), [`POST /models/pull ${JSON.stringify({ model: 'openai/clip-vit-base-patch32@3d74acf9a28c67741b2f4f2ea7635f0aaf6f0268', use: true })}`]);
  stand.change({ pull: pull({ done_bytes: 340 * MB, total_bytes: 605 * MB, rate: 11 * MB, eta_s: 24, vision_bytes: 363 * MB }) });
  await row(page, 'CLIP B/32').getByText('340 of 605 MB, 11 MB a second, about 25 s left. Learning can begin at 60 %.').waitFor();
  await row(page, 'CLIP B/32').getByText('Downloading, 56 %').waitFor();
  assert.equal(await row(page, 'CLIP B/32').getByRole('progressbar').getAttribute('aria-valuenow'), '56');
  await page.getByRole('banner').getByRole('link', { name: /Getting CLIP B\/32, 56 %/ }).waitFor();
  await page.getByRole('status').filter({ hasText: 'Downloading CLIP B/32, 50 per cent' }).waitFor({ state: 'attached' });
  await inEveryLight(page);
  await row(page, 'CLIP B/32').getByRole('button', { name: 'Pause: CLIP B/32' }).click();
  await row(page, 'CLIP B/32').getByText('Begun, 56 %').waitFor();
  await row(page, 'CLIP B/32').getByRole('button', { name: 'Go on: CLIP B/32' }).waitFor();
  stand.models[1] = far(B32, 'CLIP B/32', { state: 'partial', disk_bytes: 340 * MB });
  stand.change({ pull: pull({ running: false, done_bytes: 340 * MB, total_bytes: 605 * MB, outcome: 'network', message: 'the hub did not answer within 30 s' }) });
  await page.getByText(/^The download did not go through: the hub did not answer within 30 s/).waitFor();
  await row(page, 'CLIP B/32').getByRole('alert').getByText('the hub did not answer within 30 s').waitFor();
  await inEveryLight(page);
  await stand.stop();
}

export async function engine_fetches_one_that_is_in_no_catalogue(place) {
  const stand = await standing(place);
  stand.answers['POST /models/pull'] = () => ({ code: 502, status: 'network', error: 'somebody/else cannot be asked for: HF_HUB_OFFLINE is set' });
  const page = await stand.page('/models');
  const field = page.getByRole('textbox', { name: 'Another one from huggingface.co' });
  await field.fill('no name');
  await page.keyboard.press('Enter');
  await page.getByText('The name of a repository is owner/name').waitFor();
  assert.equal(await field.getAttribute('aria-invalid'), 'true');
  await field.fill('somebody/else');
  await page.keyboard.press('Enter');
  const dialog = page.getByRole('dialog', { name: 'Get somebody/else?' });
  await dialog.getByText('huggingface.co/somebody/else').waitFor();
  await dialog.getByText(/see its page on the hub/).waitFor();
  await dialog.getByRole('button', { name: 'Get it' }).click();
  await page.getByRole('alert').getByText('HF_HUB_OFFLINE is set').waitFor();
  await axe(page);
  await stand.stop();
}

export async function engine_names_the_hub_that_would_be_asked(place) {
  const stand = await standing(place);
  stand.hub = { name: 'mirror.example/hf', offline: true };
  const page = await stand.page('/models');
  await row(page, 'CLIP B/32').getByRole('button', { name: 'Get: CLIP B/32' }).click();
  const dialog = page.getByRole('dialog', { name: 'Get CLIP B/32?' });
  await dialog.getByText('mirror.example/hf/openai/clip-vit-base-patch32', { exact: true }).waitFor();
  await dialog.getByText(/started with HF_HUB_OFFLINE/).waitFor();
  assert.equal(await dialog.getByRole('button', { name: /Get/ }).count() + (await dialog.getByRole('checkbox').count()), 0, 'there is nothing to agree to');
  await inEveryLight(page);
  await dialog.getByRole('button', { name: 'Close' }).last().click();
  await page.getByRole('textbox', { name: 'Another one from mirror.example/hf' }).fill('somebody/else');
  await page.keyboard.press('Enter');
  await page.getByRole('dialog', { name: 'Get somebody/else?' }).getByText(/started with HF_HUB_OFFLINE/).waitFor();
  assert.deepEqual(stand.asked.filter((one) => one.startsWith('POST')), []);
  await stand.stop();
}

export async function engine_changes_the_search_model_while_the_old_one_answers(place) {
  const stand = await standing(place);
  const here = { complete: true, state: 'cold', disk_bytes: 605 * MB };
  stand.models[1] = far(B32, 'CLIP B/32', here);
  stand.answers[`POST /models/${B32}/use`] = () => {
    stand.models[0] = { ...stand.models[0], chosen: false };
    stand.models[1] = far(B32, 'CLIP B/32', { ...here, chosen: true });
    stand.change({ model: { next: B32 }, job: { ...stand.last.job, number: 2, running: true, phase: 'learn', fraction: 0.385, outcome: null } });
    return 'snapshot';
  };
  stand.answers['POST /models/tiny/use'] = () => {
    stand.models = catalogue();
    stand.models[1] = far(B32, 'CLIP B/32', here);
    stand.change({ model: { next: null }, job: { ...stand.last.job, number: 3 } });
    return 'snapshot';
  };
  const page = await stand.page('/models');
  await row(page, 'CLIP B/32').getByRole('button', { name: 'Use: CLIP B/32' }).click();
  await row(page, 'CLIP B/32').getByText('Learning, 38 %').waitFor();
  await row(page, 'Small').getByText('Ready, answers until then').waitFor();
  await page.getByRole('banner').getByRole('link', { name: 'Learning with CLIP B/32, 38 %' }).waitFor();
  await page.getByText('Learning with CLIP B/32. Until that is done, Small answers.').waitFor();
  await inEveryLight(page);
  await page.getByRole('button', { name: 'Go back to Small' }).click();
  await row(page, 'Small').getByText('Ready, in use').waitFor();
  await stand.stop();
}

export async function engine_wakes_puts_away_and_removes(place) {
  const stand = await standing(place);
  stand.models[1] = far(B32, 'CLIP B/32', { complete: true, state: 'cold', disk_bytes: 605 * MB, learned: 3 });
  stand.answers['POST /models/tiny-caption/load'] = () => {
    stand.change({ models: [{ key: 'tiny-caption', kind: 'captions', state: 'loading', fraction: 0.71, memory_bytes: 0, error: null }] });
    return 'snapshot';
  };
  stand.answers['POST /models/tiny/unload'] = () => ({ code: 409, error: 'Small is at work: it is put away when that is done' });
  stand.answers[`POST /models/${B32}/remove`] = ({ dry_run: asks }) => {
    if (asks) return { would_remove: B32, embeddings: false, files_bytes: 605 * MB, prepared_bytes: 153 * MB, photos: 3, embeddings_bytes: 4500 };
    stand.models = stand.models.filter(({ key }) => key !== B32);
    return {};
  };
  const page = await stand.page('/models');
  await row(page, 'Small captions').getByText('Asleep, in use').waitFor();
  await row(page, 'Small captions').getByRole('button', { name: 'Wake: Small captions' }).click();
  await row(page, 'Small captions').getByText('Loading, 71 %, in use').waitFor();
  await row(page, 'Small').getByRole('button', { name: 'Put away: Small' }).click();
  await row(page, 'Small').getByRole('alert').getByText('Small is at work').waitFor();
  await row(page, 'CLIP B/32').getByText('It knows all your photos').waitFor();
  await row(page, 'CLIP B/32').getByRole('button', { name: 'Remove CLIP B/32' }).click();
  const dialog = page.getByRole('dialog', { name: 'Remove CLIP B/32?' });
  await dialog.getByText(/Its files and what was prepared from them go: 758 MB/).waitFor();
  await inEveryLight(page);
  await page.keyboard.press('Escape');
  const removed = () => stand.asked.filter((one) => one.includes('remove') && !one.includes('dry_run'));
  assert.deepEqual(removed(), []);
  await row(page, 'CLIP B/32').getByRole('button', { name: 'Remove CLIP B/32' }).click();
  await dialog.getByRole('checkbox', { name: /Also forget what it learned about 3 photos \(4[.]5 kB\)/ }).check();
  await dialog.getByRole('button', { name: 'Remove' }).click();
  await row(page, 'CLIP B/32').waitFor({ state: 'detached' });
  await eventually(() => assert.deepEqual(removed(), [`POST /models/${B32}/remove {"embeddings":true}`]));
  await stand.stop();
}

export async function engine_settings_are_those_that_the_program_has(place) {
  const stand = await standing(place);
  stand.answers['POST /annotate'] = ({ do: what }) => {
    stand.change({ annotation: { running: what !== 'cancel', paused: what === 'pause', phase: 'captions', todo: 3112, done: 120, tagged: 0, captioned: 120, doubtful: 9, failed: 0, rate: 2, eta_s: 1200, outcome: what === 'cancel' ? 'cancelled' : null, message: null } });
    return 'snapshot';
  };
  const page = await stand.page('/settings');
  await page.getByRole('switch', { name: 'Write captions' }).waitFor();
  await page.getByText('3 photos wait: about less than 1 s.').or(page.getByText(/3 photos wait/)).first().waitFor();
  await inEveryLight(page);
  await page.getByRole('switch', { name: 'Write captions' }).focus();
  await page.keyboard.press('Space');
  await page.waitForFunction(() => document.querySelector('[aria-labelledby=set-captions]').checked);
  await page.getByRole('slider', { name: 'Put models away after' }).focus();
  await page.keyboard.press('ArrowRight');
  await page.getByText('10 min').waitFor();
  await page.getByRole('slider', { name: 'Cores to learn with' }).focus();
  await page.keyboard.press('End');
  await page.getByText('all 8').waitFor();
  await eventually(() => assert.deepEqual(stand.asked.filter((one) => one.startsWith('POST /settings')), ['POST /settings {"captions":true}', 'POST /settings {"idle_s":600}', 'POST /settings {"threads":8}']));
  await page.getByRole('radio', { name: 'Dark' }).click();
  assert.equal(await page.evaluate(() => document.documentElement.dataset.theme), 'dark');
  await page.getByRole('radio', { name: 'System' }).click();
  await page.getByRole('switch', { name: 'More contrast' }).check();
  assert.equal(await page.evaluate(() => document.documentElement.dataset.contrast), 'more');
  await axe(page);
  await page.getByRole('switch', { name: 'More contrast' }).uncheck();
  await page.getByRole('button', { name: /^Write now/ }).click();
  await page.getByText('Writing captions: 120 of 3,112, about 20 min left').waitFor();
  await page.getByRole('banner').getByRole('link', { name: /Writing captions 3 %/ }).waitFor();
  await page.getByRole('button', { name: /^Pause: Write/ }).click();
  await page.getByText('Captions paused: 120 of 3,112').waitFor();
  await page.getByRole('button', { name: /^Stop: Write/ }).click();
  await page.getByText('Stopped: 120 captions written, 9 of them doubtful').first().waitFor();
  await page.getByRole('navigation', { name: 'Settings' }).getByRole('button', { name: 'About' }).click();
  await page.waitForFunction(() => document.activeElement?.id === 'settings-about');
  await axe(page);
  await stand.stop();
}

export async function engine_the_queue_is_told_what_is_in_sight(place) {
  const stand = await standing(place, 6);
  const told = [];
  stand.answers['POST /looking'] = ({ photos }) => {
    told.push(photos);
    return null;
  };
  const page = await stand.page('/search');
  await page.getByRole('gridcell').first().waitFor();
  stand.change({ annotation: { running: true, paused: false, phase: 'captions', todo: 6, done: 1, tagged: 0, captioned: 1, doubtful: 0, failed: 0, rate: 2, eta_s: 3, outcome: null, message: null } });
  await page.getByRole('banner').getByRole('link', { name: /Writing captions 16 %/ }).waitFor();
  await page.getByRole('gridcell').nth(2).getByRole('link').click();
  await page.waitForURL('**/photo/*');
  const id = Number(new URL(page.url()).pathname.split('/').pop());
  await eventually(() => assert.deepEqual(told.at(-1), [id])); // it is told now and then
  await stand.stop();
}

/** A photo about which the model has written; edits are carried out on what is told of it. */
async function described(place, change = {}) {
  const stand = await standing(place, 2);
  const [{ id }] = (await place.api('/search?q=&n=1')).body.hits;
  const { body } = await place.api(`/photos/${id}`);
  const text = 'Stripes on a square of cloth';
  stand.work = { ...body.work, caption: text, caption_by: 'machine', caption_doubtful: false, caption_score: 0.8, caption_machine: text, tags: [{ name: 'stripe', by: 'machine', score: 0.96, doubtful: false }, { name: 'cloth', by: 'machine', score: 0.81, doubtful: false }, { name: 'flag', by: 'machine', score: 0.54, doubtful: true }], ...change };
  stand.answers[`GET /photos/${id}`] = () => ({ ...body, work: stand.work });
  stand.answers['POST /edit'] = (edit) => {
    const { work } = stand;
    const name = edit.tag ?? edit.untag;
    if (name) work.tags = [...work.tags.filter((tag) => tag.name !== name), ...(edit.tag ? [{ name, by: 'user' }] : [])];
    if ('caption' in edit) Object.assign(work, edit.caption === null ? { caption: work.caption_machine, caption_by: 'machine' } : { caption: edit.caption || null, caption_by: 'user' });
    return { edited: 1, step: 1, sentence: 'an edit' };
  };
  return { stand, id, edits: () => stand.asked.filter((one) => one.startsWith('POST /edit')).map((one) => JSON.parse(one.slice('POST /edit '.length))).map(({ photos, ...edit }) => (assert.deepEqual(photos, [id]), edit)) };
}

const seen = (page) => page.getByRole('region', { name: 'Seen by the model' });

export async function engine_photo_shows_what_the_model_saw_and_takes_yes_and_no(place) {
  const { stand, id, edits } = await described(place);
  const page = await stand.page(`/photo/${id}`);
  await seen(page).getByText('Stripes on a square of cloth').waitFor();
  await seen(page).getByText('fits the picture well').waitFor();
  assert.deepEqual(await seen(page).getByRole('option').evaluateAll((all) => all.map((one) => one.getAttribute('aria-label'))), ['stripe, 96 of 100', 'cloth, 81 of 100', 'flag, doubtful, 54 of 100']);
  await page.getByRole('img', { name: 'Stripes on a square of cloth' }).first().waitFor();
  await inEveryLight(page);
  await page.keyboard.press('n'); // goes to what is doubtful, and answers nothing yet
  await seen(page).getByText('Is “flag” right?').waitFor();
  assert.deepEqual(edits(), []);
  await axe(page);
  await page.keyboard.press('n');
  await seen(page).getByText('Is “cloth” right?').waitFor();
  await page.waitForFunction(() => document.activeElement.textContent.includes('cloth')); // the focus goes on
  await page.keyboard.press('ArrowLeft');
  await seen(page).getByText('Is “stripe” right?').waitFor();
  await page.keyboard.press('y');
  await page.getByRole('region', { name: 'Said by you' }).getByText('stripe').waitFor();
  await seen(page).getByRole('option', { name: 'cloth' }).click();
  await seen(page).getByRole('button', { name: 'Yes' }).click();
  await seen(page).getByRole('option').waitFor({ state: 'detached' });
  await eventually(() => assert.deepEqual(edits(), [{ untag: 'flag' }, { tag: 'stripe' }, { tag: 'cloth' }]));
  await page.locator('.Toast').getByRole('button', { name: 'Undo' }).waitFor();
  await stand.stop();
}

export async function engine_photo_caption_is_accepted_rejected_and_written(place) {
  const { stand, id, edits } = await described(place, { caption_doubtful: true });
  const page = await stand.page(`/photo/${id}`);
  await seen(page).getByText('Stripes on a square of cloth?').waitFor();
  await seen(page).getByText('may be wrong').waitFor();
  await inEveryLight(page);
  await seen(page).getByRole('button', { name: 'It is wrong: take it away' }).click();
  await seen(page).getByText('You took this caption away.').waitFor();
  await seen(page).getByRole('button', { name: 'Let it count again' }).click();
  await seen(page).getByText('may be wrong').waitFor();
  await page.keyboard.press('w');
  const said = page.getByRole('region', { name: 'Said by you' });
  await said.getByRole('textbox', { name: 'Caption' }).fill('Our old flag');
  await page.keyboard.press('Enter');
  await said.getByText('Our old flag').waitFor();
  await page.waitForFunction(() => document.activeElement?.getAttribute('aria-label') === 'Facts'); // the focus stays in the case file
  await axe(page);
  await seen(page).getByRole('button', { name: 'Use this one' }).click();
  await said.getByText('Stripes on a square of cloth').waitFor();
  await seen(page).getByText('Stripes on a square of cloth').waitFor({ state: 'detached' });
  await eventually(() => assert.deepEqual(edits(), [{ caption: '' }, { caption: null }, { caption: 'Our old flag' }, { caption: 'Stripes on a square of cloth' }]));
  await stand.stop();
}

/** Also when the queue was at its end before the page heard that it had begun. */
export async function engine_photo_shows_what_a_quick_queue_wrote(place) {
  const { stand, id } = await described(place, { caption: null, caption_by: null, caption_machine: null, tags: [] });
  const page = await stand.page(`/photo/${id}`);
  await seen(page).getByRole('button', { name: 'Write one now' }).waitFor();
  Object.assign(stand.work, { caption: 'A flag', caption_by: 'machine', caption_machine: 'A flag', caption_doubtful: false });
  stand.change({ annotation: { running: false, paused: false, phase: 'captions', todo: 2, done: 2, tagged: 0, captioned: 2, doubtful: 0, failed: 0, rate: null, eta_s: 0, outcome: 'ok', message: null } });
  await seen(page).getByText('A flag').waitFor();
  await stand.stop();
}

export async function engine_photo_is_written_about_at_once(place) {
  const { stand, id } = await described(place, { caption: null, caption_by: null, caption_machine: null, tags: [] });
  let fails = true;
  stand.answers[`POST /photos/${id}/describe`] = async () => {
    if (fails) return { code: 404, status: 'not_found', error: 'the captioner is not here: its folder is empty' };
    Object.assign(stand.work, { caption: 'A flag', caption_by: 'machine', caption_machine: 'A flag', caption_doubtful: false });
    return stand.answers[`GET /photos/${id}`]();
  };
  const page = await stand.page(`/photo/${id}`, PHONE);
  await seen(page).getByRole('button', { name: 'Write one now' }).click();
  await seen(page).getByRole('alert').getByText('The captioner is not here: its folder is empty.').waitFor();
  await inEveryLight(page);
  fails = false;
  await seen(page).getByRole('button', { name: 'Write one now' }).click();
  await seen(page).getByText('A flag').waitFor();
  await page.getByRole('status').filter({ hasText: 'The model wrote: A flag' }).waitFor({ state: 'attached' });
  await stand.stop();
}

/** A hub on this computer with one repository; its address. It ends with the case. */
async function hub(place, repository, folder, rate) {
  const script = path.join(path.dirname(fileURLToPath(import.meta.url)), 'hub.py');
  const child = spawn('python3', [script, repository, folder, String(rate)], { stdio: ['pipe', 'pipe', 'inherit'] });
  place.ends.push(() => child.stdin.end());
  const [address] = String(await new Promise((told) => child.stdout.once('data', told))).split('\n');
  return address;
}

export async function engine_really_fetches_uses_and_removes_a_model(place) {
  const checkpoint = path.join(process.env.PD_SHARED ?? '', 'golden', 'parity', 'clip_quickgelu');
  if (!process.env.PD_SHARED || !fs.existsSync(checkpoint)) throw new Skip('no checkpoint to be fetched here');
  place.environment.HF_ENDPOINT = await hub(place, 'somebody/seeing', checkpoint, 150_000);
  const folder = place.folder('Pictures', 6);
  await place.serve();
  await place.learn(folder);
  const page = await place.page('/models');
  await page.getByRole('list', { name: 'Search' }).getByRole('listitem').first().waitFor();
  const asked = new URL(place.environment.HF_ENDPOINT).host;
  await page.getByRole('textbox', { name: `Another one from ${asked}` }).fill('somebody/seeing');
  await page.keyboard.press('Enter');
  const dialog = page.getByRole('dialog', { name: 'Get somebody/seeing?' });
  await dialog.getByText(`${asked}/somebody/seeing`).waitFor();
  await dialog.getByRole('checkbox').check();
  await dialog.getByRole('button', { name: 'Get it' }).click();
  const entry = page.locator('.ModelRow', { hasText: 'somebody/seeing' });
  await page.getByRole('progressbar', { name: /somebody[/]seeing|somebody--seeing/ }).waitFor();
  await entry.getByText(/Learning can begin at \d+ %/).waitFor();
  await axe(page);
  await entry.getByText(/in use$/).waitFor();
  const now = await place.until(({ model }) => model.name === 'somebody--seeing' && !model.next, 'the new model');
  assert.equal(now.pull.outcome, 'ok');
  await axe(page);
  const tiny = page.locator('.ModelRow').first();
  await tiny.getByText(/It knows all your photos/).waitFor();
  await tiny.getByRole('button', { name: /^Use: / }).click();
  await tiny.getByText(/in use$/).waitFor();
  await entry.getByRole('button', { name: /^Remove / }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Remove' }).click();
  await entry.waitFor({ state: 'detached' });
}

export async function engine_really_writes_tags_and_captions(place) {
  await serveReal(place);
  const [{ id }] = (await place.api('/search?q=&n=1')).body.hits;
  const page = await place.page(`/photo/${id}`);
  const told = seen(page);
  await told.getByRole('button', { name: /Write one now|Let the model write one/ }).click();
  await told.locator('.Caption').waitFor();
  const { work } = (await place.api(`/photos/${id}`)).body;
  assert.equal(work.caption_by, 'machine');
  assert.ok((await told.locator('.Caption').innerText()).toLowerCase().startsWith(work.caption.toLowerCase().replace(/[.!?\s]+$/, '')), work.caption);
  await axe(page);
  await told.getByRole('button', { name: 'It is right: make it mine' }).click();
  await page.getByRole('region', { name: 'Said by you' }).getByText(work.caption).waitFor();
  assert.equal((await place.api(`/photos/${id}`)).body.work.caption_by, 'user');
  await page.keyboard.press('Control+z');
  await told.locator('.Caption').waitFor();
}
