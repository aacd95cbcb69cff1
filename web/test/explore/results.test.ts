import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Page, PAGES_KEPT, Results } from '../../src/explore/results.ts';

interface Asked {
  offset: number;
  n: number;
  result: number | null;
  signal: AbortSignal;
  answer: (total?: number, result?: number) => Promise<void>;
  fail: (error?: unknown) => Promise<void>;
}

const GONE = new Error('not kept any more');

/** A server that answers when it is told to. */
function served(total: number) {
  const asked: Asked[] = [];
  const changes: [number, number][] = [];
  const results = new Results<number>({
    fetch: (offset, n, signal, result) =>
      new Promise<Page<number>>((resolve, reject) => {
        signal.addEventListener('abort', () => reject(new DOMException('given up', 'AbortError')));
        asked.push({
          offset,
          n,
          result,
          signal,
          answer: async (now = total, kept = result ?? 7) => {
            const hits = Array.from({ length: Math.max(0, Math.min(n, now - offset)) }, (_, i) => offset + i);
            resolve({ total: now, took_ms: 12.5, offset, hits, result: kept });
            await turn();
          },
          fail: async (error = new Error('no')) => {
            reject(error);
            await turn();
          },
        });
      }),
    changed: (first, end) => changes.push([first, end]),
    gone: (error) => error === GONE,
  });
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
  assert.equal(results.answer!.took_ms, 12.5);
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
  await turn();
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
  await turn();
  results.need(4000, 4020);
  await turn();
  assert.ok(asked[1]!.signal.aborted);
  assert.equal(results.stateOf(1000), undefined);
  await asked[2]!.answer();
  results.need(1000, 1020);
  await turn();
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
  await turn();
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

test('further windows are of the result that the question was answered with', async () => {
  const { results, asked } = served(300);
  results.need(0, 20);
  assert.equal(asked[0]!.result, null);
  await asked[0]!.answer(300, 41);
  results.need(100, 220);
  await turn();
  assert.deepEqual(asked.slice(1).map(({ result }) => result), [41, 41]);
});

test('a result that is not kept any more is asked for again, once, and the place stays', async () => {
  const { results, asked } = served(1000);
  results.need(0, 20);
  await asked[0]!.answer(1000, 41);
  results.need(400, 520);
  await turn();
  await asked[1]!.fail(GONE);
  await asked[2]!.fail(GONE);
  await turn();
  assert.equal(asked.length, 4, 'one question for both windows');
  assert.deepEqual([asked[3]!.offset, asked[3]!.result], [400, null]);
  await asked[3]!.answer(1003, 42);
  await turn();
  assert.equal(results.total, 1003);
  assert.equal(results.generation, 1);
  assert.equal(results.at(410), 410);
  assert.equal(results.at(10), undefined, 'what is of another order is not shown');
  assert.deepEqual([asked[4]!.offset, asked[4]!.result], [500, 42]);
});

test('a result that is not kept at all is a question for every window, one after the other', async () => {
  const { results, asked } = served(1000);
  results.need(0, 20);
  await asked[0]!.answer(1000, 0);
  results.need(400, 520);
  await turn();
  assert.deepEqual(asked.slice(1).map(({ offset, result }) => [offset, result]), [[400, null]]);
  await asked[1]!.answer(1007, 0);
  await turn();
  assert.equal(asked[2]!.offset, 500);
  assert.ok(results.drifted);
  assert.equal(results.total, 1000);
});

test('a million results take the memory of a few windows', async () => {
  const { results, asked } = served(1_000_000);
  results.need(0, 20);
  await asked[0]!.answer();
  assert.equal(results.shown, 1_000_000);
  for (let at = 0; at < 1_000_000; at += 5_000) {
    results.need(at, at + 60);
    await turn();
    for (const one of asked.splice(0)) if (!one.signal.aborted) await one.answer();
  }
  assert.ok(results.kept <= PAGES_KEPT + 1, `${results.kept}`);
  assert.equal(results.at(7), 7, 'the first window stays');
  assert.equal(results.find((hit) => hit === 995_050), 995_050);
});

test('what changed is asked for once more where it is looked at, and stays until then', async () => {
  const { results, asked } = served(1000);
  results.need(0, 20);
  await asked[0]!.answer();
  results.need(300, 320);
  await turn();
  await asked[1]!.answer();
  results.renew();
  await turn();
  assert.equal(results.at(305), 305);
  assert.deepEqual(asked.slice(2).map(({ offset }) => offset), [300]);
  await asked[2]!.answer();
  assert.equal(results.stateOf(305), 'ready');
});

test('an empty answer is an answer', async () => {
  const { results, asked } = served(0);
  results.need(0, 20);
  await asked[0]!.answer();
  assert.equal(results.total, 0);
  results.need(0, 20);
  assert.equal(asked.length, 1);
});
