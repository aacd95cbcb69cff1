import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Page, Results, RESULTS_MAX } from '../../src/explore/results.ts';

interface Asked {
  offset: number;
  n: number;
  signal: AbortSignal;
  answer: (total?: number) => Promise<void>;
  fail: () => Promise<void>;
}

/** A server that answers when it is told to. */
function served(total: number) {
  const asked: Asked[] = [];
  const changes: [number, number][] = [];
  const results = new Results<number>(
    (offset, n, signal) =>
      new Promise<Page<number>>((resolve, reject) => {
        signal.addEventListener('abort', () => reject(new DOMException('given up', 'AbortError')));
        asked.push({
          offset,
          n,
          signal,
          answer: async (now = total) => {
            const hits = Array.from({ length: Math.max(0, Math.min(n, now - offset)) }, (_, i) => offset + i);
            resolve({ total: now, took_ms: 12.5, offset, hits });
            await turn();
          },
          fail: async () => {
            reject(new Error('no'));
            await turn();
          },
        });
      }),
    (first, end) => changes.push([first, end]),
  );
  return { results, asked, changes };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

test('one window is asked for, once, until the number of results is known', async () => {
  const { results, asked, changes } = served(950);
  results.need(0, 20);
  results.need(300, 420);
  assert.deepEqual(asked.map(({ offset, n }) => [offset, n]), [[0, 100]]);
  await asked[0]!.answer();
  assert.equal(results.total, 950);
  assert.equal(results.tookMs, 12.5);
  assert.equal(results.at(7), 7);
  assert.equal(results.at(100), undefined);
  assert.deepEqual(changes, [[0, 100]]);
});

test('windows that are looked at are asked for; what is known or under way is not asked for again', async () => {
  const { results, asked } = served(950);
  results.need(0, 20);
  await asked[0]!.answer();
  results.need(80, 310);
  results.need(90, 320);
  assert.deepEqual(asked.map(({ offset }) => offset), [0, 100, 200, 300]);
  await asked[2]!.answer();
  assert.equal(results.at(250), 250);
  assert.equal(results.stateOf(150), 'loading');
});

test('a window that nobody looks at any more is given up, and asked for again later', async () => {
  const { results, asked } = served(5000);
  results.need(0, 20);
  await asked[0]!.answer();
  results.need(1000, 1020);
  results.need(4000, 4020);
  assert.ok(asked[1]!.signal.aborted);
  assert.equal(results.stateOf(1000), undefined);
  await asked[2]!.answer();
  results.need(1000, 1020);
  assert.equal(asked.length, 4);
  await asked[3]!.answer();
  assert.equal(results.at(1003), 1003);
});

test('a window that failed stays so until it is retried', async () => {
  const { results, asked, changes } = served(300);
  results.need(0, 20);
  await asked[0]!.fail();
  assert.ok(results.failed);
  assert.equal((results.error as Error).message, 'no');
  assert.deepEqual(changes, [[0, 0]]);
  results.need(0, 20);
  assert.equal(asked.length, 1);
  results.retry();
  assert.equal(results.error, null);
  await asked[1]!.answer();
  assert.ok(!results.failed);
  assert.equal(results.at(0), 0);
});

test('a superseded list gives up what is under way and says nothing more', async () => {
  const { results, asked, changes } = served(300);
  results.need(0, 20);
  results.close();
  assert.ok(asked[0]!.signal.aborted);
  await turn();
  results.need(100, 120);
  assert.equal(asked.length, 1);
  assert.deepEqual(changes, []);
});

test('it is noticed that the library changed between two windows', async () => {
  const { results, asked } = served(300);
  results.need(0, 20);
  await asked[0]!.answer(300);
  results.need(100, 120);
  assert.ok(!results.drifted);
  await asked[1]!.answer(317);
  assert.ok(results.drifted);
  assert.equal(results.total, 300);
});

test('nothing is asked for beyond what the server answers', async () => {
  const { results, asked } = served(48_212);
  results.need(0, 20);
  await asked[0]!.answer();
  assert.equal(results.shown, RESULTS_MAX);
  results.need(9_990, 12_000);
  assert.deepEqual(asked.slice(1).map(({ offset, n }) => [offset, n]), [[9900, 100]]);
});

test('an empty answer is an answer', async () => {
  const { results, asked } = served(0);
  results.need(0, 20);
  await asked[0]!.answer();
  assert.equal(results.total, 0);
  results.need(0, 20);
  assert.equal(asked.length, 1);
});
