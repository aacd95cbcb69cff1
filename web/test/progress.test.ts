import assert from 'node:assert/strict';
import { test } from 'node:test';
import { awayOf, barText, figuresOf, percentOf, phasesOf, resultOf, tabTitle, timeLeft, titleOf, underRoots, whereOf } from '../src/loading/progress.ts';
import { job } from './job.ts';

const states = (phases: ReturnType<typeof phasesOf>): string => phases.map(({ state }) => state).join(' ');
const filled = (phases: ReturnType<typeof phasesOf>): number => phases.reduce((sum, { share, done }) => sum + share * done, 0);

test('the parts of the bar are the whole bar', () => {
  assert.equal(phasesOf(job(), 'ready').reduce((sum, { share }) => sum + share, 0), 100);
});

test('what is filled is the fraction that the program tells', () => {
  for (const done of [0, 1, 100, 399, 400]) {
    const fraction = 0.02 + 0.96 * (done / 400);
    assert.ok(Math.abs(filled(phasesOf(job({ done, fraction }), 'ready')) - fraction * 100) < 1e-9);
  }
  assert.equal(filled(phasesOf(job({ phase: 'index', done: 400, fraction: 0.98 }), 'ready')), 98);
  assert.equal(filled(phasesOf(job({ phase: 'ready', running: false, outcome: 'partial', fraction: 1 }), 'ready')), 100);
});

test('each phase is done, now or coming; the page is beside them', () => {
  assert.equal(states(phasesOf(job({ phase: 'prepare' }), 'working')), 'beside now coming coming coming coming');
  assert.equal(states(phasesOf(job({ phase: 'scan', todo: 0, done: 0 }), 'ready')), 'done done now coming coming coming');
  assert.equal(states(phasesOf(job(), 'failed')), 'failed done done now coming coming');
  assert.equal(states(phasesOf(job({ phase: 'index' }), 'ready')), 'done done done done now coming');
  assert.equal(states(phasesOf(job({ phase: 'ready', running: false, outcome: 'ok' }), 'ready')), 'done done done done done done');
});

test('a job that was stopped leaves the bar where it stood', () => {
  const stopped = job({ phase: 'ready', running: false, outcome: 'cancelled', fraction: 0.26 });
  assert.equal(states(phasesOf(stopped, 'ready')), 'done done done coming coming coming');
  assert.equal(percentOf(stopped), 26);
  assert.equal(filled(phasesOf(stopped, 'ready')), 26);
  const early = job({ phase: 'ready', running: false, outcome: 'cancelled', todo: 0, done: 0, fraction: 0 });
  assert.equal(states(phasesOf(early, 'ready')), 'done done coming coming coming coming');
});

test('100 per cent is said when it is over, not before', () => {
  assert.equal(percentOf(job({ fraction: 0.9999 })), 99);
  assert.equal(percentOf(job({ fraction: 1 })), 99);
  assert.equal(percentOf(job({ fraction: 1, phase: 'ready', running: false, outcome: 'ok' })), 100);
});

test('time left is never invented', () => {
  assert.equal(timeLeft(job({ eta_s: null })), 'estimating');
  assert.equal(timeLeft(job({ phase: 'scan', eta_s: null })), 'estimating');
  assert.equal(timeLeft(job({ eta_s: 139 })), 'about 2 min 20 s');
  assert.equal(timeLeft(job({ paused: true })), 'paused');
});

test('the bar in words', () => {
  assert.equal(barText(job({ done: 18_406, todo: 48_212, eta_s: 140 })), 'Learning pictures, 18,406 of 48,212, about 2 min 20 s left');
  assert.equal(barText(job({ eta_s: null })), 'Learning pictures, 100 of 400, time left unknown yet');
  assert.equal(barText(job({ phase: 'scan', found: 12 })), 'Finding pictures, 12 so far');
  assert.equal(barText(job({ paused: true })), 'Paused, 100 of 400');
});

test('titles of the page and of the tab', () => {
  assert.equal(titleOf(job()), 'Getting to know 400 pictures');
  assert.equal(titleOf(job({ todo: 1 })), 'Getting to know 1 new picture');
  assert.equal(titleOf(job({ phase: 'scan', found: 0 })), 'Looking for pictures');
  assert.equal(tabTitle(job()), '26 % · Getting to know your pictures · Pixel Detective');
  assert.equal(tabTitle(job({ paused: true })), 'Paused at 26 % · Getting to know your pictures · Pixel Detective');
  assert.equal(tabTitle(null), 'Pixel Detective');
});

test('four figures at all times', () => {
  for (const change of [{}, { phase: 'scan' as const }, { paused: true }, { rate: null, eta_s: null }, { phase: 'ready' as const, running: false, outcome: 'ok' }]) {
    const figures = figuresOf(job(change));
    assert.equal(figures.length, 4);
    for (const { value, after } of figures) assert.ok(value || after);
  }
});

test('every end has words for what happened and what was kept', () => {
  const end = (outcome: string, change = {}): ReturnType<typeof resultOf> => resultOf(job({ running: false, phase: 'ready', outcome, ...change }));
  assert.equal(end('ok', { learned: 400, failed: 0 }).title, '400 pictures are learned');
  assert.equal(end('ok', { learned: 0, unchanged: 400 }).title, 'Nothing new here');
  assert.equal(end('ok', { learned: 0, found: 0 }).title, 'There are no pictures in this folder');
  assert.equal(end('partial', { found: 100 }).title, '97 pictures are learned, 3 set aside');
  assert.doesNotMatch(end('partial', { found: 100 }).text, /gone/);
  assert.equal(end('partial', { learned: 0, failed: 1 }).title, '1 picture could not be read');
  assert.deepEqual(end('partial', { learned: 0, unchanged: 390, failed: 2 }), { tone: 'partial', title: 'Nothing new here', text: '390 pictures were known already, 2 still cannot be read.' });
  assert.deepEqual(end('cancelled'), { tone: 'stopped', title: 'Stopped after 97 pictures', text: 'What is learned stays, and can be searched now. The rest can be learned at any time: it goes on from here.' });
  assert.equal(end('crashed', { message: 'The reader fell.' }).text, 'The reader fell. What is learned stays, and can be searched now.');
  assert.match(end('crashed', { learned: 0 }).text, /Nothing was learned yet/);
});

test('what was not there is not called learned', () => {
  const ended = job({ running: false, phase: 'ready', outcome: 'ok', failed: 0 });
  assert.equal(resultOf(ended).title, '97 pictures are learned, 303 had gone');
  assert.match(resultOf({ ...ended, outcome: 'partial', failed: 3 }).text, /300 pictures had gone/);
  assert.equal(figuresOf(ended)[3]!.after, 'and 303 were gone');
  const empty = { ...ended, found: 0, learned: 0 };
  const roots = [{ path: '/home/me/Pictures', photos: 5, offline: true }, { path: '/b', photos: 1, offline: true }];
  const library = { dir: '/l', files: 6, learned: 6, errors: 0, offline: 6, roots };
  assert.deepEqual(awayOf(empty, library), ['/home/me/Pictures']);
  assert.equal(resultOf(empty, awayOf(empty, library)).title, 'Pictures is not there');
  assert.equal(resultOf(empty, awayOf({ ...empty, roots: [] }, library)).title, '2 folders are not there');
  assert.equal(tabTitle(empty, ['/home/me/Pictures']), 'Pictures is not there · Pixel Detective');
});

test('folders and files in short', () => {
  const short = (path: string): string => path.replace('/home/me', '~');
  assert.equal(whereOf(job(), short), '~/Pictures');
  assert.equal(whereOf(job({ roots: ['/home/me/a', '/b', '/c'] }), short), '~/a and 2 more folders');
  assert.equal(whereOf(job({ roots: [] }), short), 'Every folder you know');
  assert.equal(underRoots('/home/me/Pictures/a/b.jpg', ['/home/me/Pictures']), 'a/b.jpg');
  assert.equal(underRoots('/home/me/Pictures2/b.jpg', ['/home/me/Pictures']), '/home/me/Pictures2/b.jpg');
});
