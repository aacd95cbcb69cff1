import assert from 'node:assert/strict';
import { test } from 'node:test';
import { forgetQueries, offeredQueries, recentQueries, rememberQuery, type Shelf } from '../../src/explore/recent.ts';

function shelf(): Shelf {
  const kept = new Map<string, string>();
  return { getItem: (key) => kept.get(key) ?? null, setItem: (key, value) => void kept.set(key, value) };
}

test('queries are kept newest first, once each', () => {
  const mine = shelf();
  for (const query of ['dog', ' beach ', 'dog', '', '  ']) rememberQuery(mine, query);
  assert.deepEqual(recentQueries(mine), ['dog', 'beach']);
  forgetQueries(mine);
  assert.deepEqual(recentQueries(mine), []);
});

test('those that begin with what is typed come first', () => {
  const mine = shelf();
  for (const query of ['dog', 'a dog on the beach', 'Dogs at night', 'cat']) rememberQuery(mine, query);
  assert.deepEqual(offeredQueries(mine, 'dog'), ['Dogs at night', 'a dog on the beach']);
  assert.deepEqual(offeredQueries(mine, ''), ['cat', 'Dogs at night', 'a dog on the beach', 'dog']);
});

test('the shelf does not grow for ever', () => {
  const mine = shelf();
  for (let i = 0; i < 200; i++) rememberQuery(mine, `query ${i}`);
  assert.equal(recentQueries(mine).length, 50);
  assert.equal(recentQueries(mine)[0], 'query 199');
});

test('a shelf that is broken, foreign or closed is an empty one', () => {
  assert.deepEqual(recentQueries({ getItem: () => '{', setItem: () => undefined }), []);
  assert.deepEqual(recentQueries({ getItem: () => '[1,"dog"]', setItem: () => undefined }), ['dog']);
  const closed = {
    getItem: () => {
      throw new Error('closed');
    },
    setItem: () => {
      throw new Error('closed');
    },
  };
  assert.deepEqual(recentQueries(closed), []);
  rememberQuery(closed, 'dog');
});
