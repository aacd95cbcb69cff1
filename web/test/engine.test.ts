import assert from 'node:assert/strict';
import { test } from 'node:test';
import { jobRows } from '../src/engine/jobs.ts';
import { changeWords, fingerprint, isReference, learnSeconds, nameOf, ofBytes, pictureWords, pullWords, rowOf, switching } from '../src/engine/rows.ts';
import { captionsNote, IDLE_S, idleNote, idlePlace, idleWords, threadsWords } from '../src/engine/settings.ts';
import type { ModelEntry, Snapshot } from '../src/types.ts';
import { annotation, job, library, model, pull, snapshot } from './job.ts';

const small = (change: Partial<ModelEntry> = {}): ModelEntry => model({ key: 'tiny', name: 'Small', repository: null, revision: null, built_in: true, picture_ms: 2, chosen: true, answering: true, state: 'ready', ...change });
const labels = (change: Partial<ModelEntry>, now: Partial<Snapshot> = {}) => {
  const { label, dot, main, also } = rowOf(model(change), snapshot(now));
  return [label, dot, main, ...also];
};

test('a row says where the model is, and what can be done', () => {
  assert.deepEqual(labels({ complete: false, state: 'absent' }), ['Not here', 'cold', 'get']);
  assert.deepEqual(labels({ complete: false, state: 'partial', disk_bytes: 302.5e6 }), ['Begun, 50 %', 'cold', 'go-on', 'remove']);
  assert.deepEqual(labels({}), ['Here, not loaded', 'cold', 'use', 'wake', 'remove']);
  assert.deepEqual(labels({ state: 'loading', fraction: 0.715 }), ['Loading, 71 %', 'loading', 'use', 'remove']);
  assert.deepEqual(labels({ state: 'ready' }), ['Ready', 'ready', 'use', 'put-away', 'remove']);
  assert.deepEqual(labels({ state: 'idle', idle_s: 720 }), ['Asleep, idle for 12 min', 'idle', 'use', 'wake', 'remove']);
  assert.deepEqual(labels({ state: 'failed', error: 'no' }), ['Could not be loaded', 'offline', 'use', 'retry', 'remove']);
});

test('what is in use cannot be removed, and what is built in cannot be fetched', () => {
  assert.deepEqual(labels({ chosen: true, answering: true, state: 'ready' }), ['Ready, in use', 'ready', 'in-use', 'put-away']);
  assert.deepEqual(labels({ kind: 'captions', chosen: true, state: 'idle', idle_s: 720 }), ['Asleep, in use', 'idle', 'in-use', 'wake']);
  assert.deepEqual(labels({ built_in: true, repository: null, complete: false, state: 'absent' }), ['Missing', 'offline', null]);
});

test("a folder of the user's is told of and left alone", () => {
  const mine = { key: '/home/ada/models/mine', name: '/home/ada/models/mine', repository: null, chosen: true, answering: true };
  assert.deepEqual(labels({ ...mine, state: 'ready' }), ['Ready, in use', 'ready', 'in-use']);
  assert.deepEqual(labels({ ...mine, chosen: false, state: 'idle' }), ['Asleep, answers until then', 'idle', null]);
  assert.equal(nameOf(model(mine)), 'mine');
  assert.equal(nameOf(model({ repository: 'some/one' })), 'CLIP B/32');
});

test('while another one is learned with, both rows say so', () => {
  const now = { job: job({ fraction: 0.385 }) };
  assert.deepEqual(labels({ chosen: true }, now), ['Learning, 38 %', 'loading', 'in-use', 'wake']);
  assert.deepEqual(labels({ chosen: true }), ['Chosen, not learned yet', 'cold', 'in-use', 'wake']);
  assert.deepEqual(labels({ answering: true, state: 'ready' }, now), ['Ready, answers until then', 'ready', 'use', 'put-away']);
  const change = switching([small({ chosen: false }), model({ chosen: true })]);
  assert.deepEqual([change?.to.name, change?.from?.name], ['CLIP B/32', 'Small']);
  assert.equal(switching([small(), model()]), null);
});

test('what the snapshot knows newer stands above the list', () => {
  const now = { models: [{ key: model().key, kind: 'search' as const, state: 'loading' as const, fraction: 0.5, memory_bytes: 7, error: null }] };
  assert.deepEqual(labels({ state: 'idle', idle_s: 900 }, now)[0], 'Loading, 50 %');
  assert.equal(rowOf(model(), snapshot(now)).entry.memory_bytes, 7);
  assert.equal(labels({ complete: false, state: 'absent' }, now)[0], 'Not here');
});

test('a download stands in its row while it runs, and says why it ended', () => {
  const now = { pull: pull() };
  assert.deepEqual(labels({ complete: false, state: 'partial' }, now), ['Downloading, 55 %', 'loading', 'pause']);
  assert.equal(labels({ complete: false, state: 'partial' }, { pull: pull({ phase: 'check' }) })[0], 'Checking what came');
  const failed = rowOf(model({ complete: false, state: 'partial' }), snapshot({ pull: pull({ running: false, outcome: 'network', message: 'nobody answered' }) }));
  assert.deepEqual([failed.fault, failed.main, failed.pull], ['Nobody answered.', 'go-on', null]);
  const paused = rowOf(model({ complete: false, state: 'partial' }), snapshot({ pull: pull({ running: false, outcome: 'cancelled', message: 'stopped' }) }));
  assert.equal(paused.fault, null);
  assert.equal(rowOf(model({ key: 'other' }), snapshot(now)).pull, null);
});

test('a download says how much, how fast, how long, and when learning can begin', () => {
  assert.equal(pullWords(pull({ vision_bytes: 228e6 }), 'search', false), '212 of 380 MB, 11 MB a second, about 15 s left. Learning can begin at 60 %.');
  assert.equal(pullWords(pull(), 'search', false), '212 of 380 MB, 11 MB a second, about 15 s left.');
  assert.equal(pullWords(pull({ phase: 'rest' }), 'search', false), '212 of 380 MB, 11 MB a second, about 15 s left. Learning can begin when all of it is here.');
  assert.equal(pullWords(pull({ vision_ready: true }), 'search', true), '212 of 380 MB, 11 MB a second, about 15 s left. What sees is here: learning has begun.');
  assert.equal(pullWords(pull({ rate: null, eta_s: null, total_bytes: null }), 'captions', true), '212 MB.');
  assert.deepEqual([ofBytes(0, 380e6), ofBytes(950, 1500), ofBytes(1.29e9, 2.4e9), ofBytes(3, 812)], ['0 of 380 MB', '0.9 of 1.5 kB', '1.3 of 2.4 GB', '3 of 812 bytes']);
});

test('a model that knows the photos says so', () => {
  const note = (learned: number | null) => rowOf(model({ learned }), snapshot({ library: library(1000) })).note;
  assert.deepEqual([note(0), note(null), note(200)], [null, null, 'It knows 200 of 1,000 photos already.']);
  assert.match(note(1000)!, /^It knows all your photos/);
  assert.equal(rowOf(model({ learned: 1000, chosen: true }), snapshot({ library: library(1000) })).note, null);
});

test('what changing the model costs is told from what the last job took', () => {
  assert.equal(learnSeconds(1000, 12, 2, 2, { learned: 100, elapsed_s: 5 }), 55); // 100 ms of a core for each, 2 of them the model's
  assert.equal(learnSeconds(1000, 12, 2, 2, { learned: 3, elapsed_s: 5 }), 31); // too few to tell
  const all = [small(), model(), model({ key: 'l14', name: 'CLIP L/14', picture_ms: 96 }), model({ key: 'b16', name: 'CLIP B/16', picture_ms: 34 })];
  assert.match(changeWords(all, snapshot({ library: library(48_212) }), 2)!, /^Changing the search model learns the library again: 48,212 photos take about 25 min with CLIP B\/32, 59 min with CLIP L\/14\. Until it is done, search keeps/);
  assert.equal(changeWords(all, snapshot({ library: library(0) }), 2), null);
  const untold = [small(), model({ picture_ms: null })];
  const last = job({ running: false, learned: 50, elapsed_s: 5, outcome: 'ok' });
  assert.match(changeWords(untold, snapshot({ library: library(1000), job: last }), 2)!, /again: at the pace of the last time 1,000 photos take about 1 min 40 s, with a larger model longer\. Until/);
  assert.match(changeWords([small()], snapshot({ library: library(5) }), 2)!, /learns the library again\. Until/);
});

test('names of repositories are told from other words', () => {
  for (const good of ['openai/clip-vit-base-patch32', ' a/b ', 'a/b@main', 'a/b@refs/pr/3']) assert.ok(isReference(good), good);
  for (const bad of ['clip', 'a/b/c', 'https://a/b', 'a b/c', '', 'a/']) assert.ok(!isReference(bad), bad);
});

test('times of a picture', () => {
  assert.deepEqual([2, 96, 240, 700, 996, 3100, 12_400].map(pictureWords), ['2 ms', '96 ms', '0.24 s', '0.7 s', '1 s', '3.1 s', '12 s']);
});

test('the list is asked for again when something about it changed', () => {
  const at = (change: Partial<Snapshot>) => fingerprint(snapshot(change));
  assert.equal(at({ seq: 1 }), at({ seq: 2, job: null }));
  assert.equal(at({ pull: pull({ done_bytes: 1 }) }), at({ pull: pull({ done_bytes: 2 }) }));
  assert.notEqual(at({ pull: pull() }), at({ pull: pull({ running: false }) }));
  assert.notEqual(at({ job: job() }), at({ job: job({ running: false }) }));
});

test('the slider of the idle time', () => {
  assert.deepEqual([300, 290, 1, 90_000, -1].map((s) => IDLE_S[idlePlace(s)]), [300, 300, 30, 3600, -1]);
  assert.deepEqual([30, 300, 3600, -1].map(idleWords), ['30 s', '5 min', '1 h', 'never']);
  assert.equal(idleNote([small({ memory_bytes: 31e6, load_ms: 30.4 }), model({ memory_bytes: 87e6 })]), 'Gives back 118 MB. Loading it again takes 30 ms.');
  assert.equal(idleNote([]), 'Gives its memory back.');
  assert.deepEqual([threadsWords(2, 8), threadsWords(8, 8)], ['2 of 8', 'all 8']);
});

test('what captions cost', () => {
  const writer = model({ kind: 'captions', picture_ms: 700, name: 'BLIP base' });
  assert.match(captionsNote(writer, 3112, 2), / 3,112 photos wait: about 18 min\.$/);
  assert.match(captionsNote(writer, null, 2), / About 0\.7 s each\.$/);
  assert.match(captionsNote(writer, 3112, 2, 4), / 3,112 photos wait: about 13 min\.$/);
  assert.match(captionsNote(writer, 0, 2), / Every photo has one\.$/);
  assert.match(captionsNote({ ...writer, complete: false }, 3, 2), / BLIP base is not here yet\.$/);
});

test('jobs, one row each, with what can be done', () => {
  const rows = (change: Partial<Snapshot>) => jobRows(snapshot(change), (path) => path).map(({ name, state, deeds }) => [name, state, ...deeds]);
  assert.deepEqual(rows({}), [['Nothing', 'at rest']]);
  assert.deepEqual(rows({ job: job() }), [['Learn Pictures', 'running, 26 %', 'pause-job', 'stop-job']]);
  assert.deepEqual(rows({ job: job({ running: false, outcome: 'cancelled' }), library: library(9) }), [['Learn Pictures', 'stopped'], ['Write tags', 'not started', 'start-writing']]);
  assert.deepEqual(rows({ annotation: annotation(), captions: true, pull: pull() }), [['Write tags and captions', 'running, 3 %', 'pause-writing', 'stop-writing'], ['Get openai/clip-vit-base-patch32', 'running, 55 %', 'pause-pull']]);
  assert.deepEqual(rows({ annotation: annotation({ paused: true }) }), [['Write tags', 'paused', 'resume-writing', 'stop-writing']]);
});
