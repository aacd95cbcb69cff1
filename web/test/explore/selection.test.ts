import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Selection } from '../../src/explore/selection.ts';

const flat = (selection: Selection) => selection.stretches.map(({ first, end }) => [first, end]);

test('photographs are selected one by one, and neighbours become one stretch', () => {
  const selection = new Selection();
  for (const item of [5, 7, 6, 20]) selection.toggle(item);
  assert.deepEqual(flat(selection), [[5, 8], [20, 21]]);
  assert.equal(selection.count, 4);
  assert.deepEqual([4, 5, 7, 8, 20, 21].map((item) => selection.has(item)), [false, true, true, false, true, false]);
  selection.toggle(6);
  assert.deepEqual(flat(selection), [[5, 6], [7, 8], [20, 21]]);
});

test('an extension follows the reader back and forth, and leaves the rest as it was', () => {
  const selection = new Selection();
  selection.toggle(2);
  selection.toggle(10);
  selection.extend(14);
  assert.deepEqual(flat(selection), [[2, 3], [10, 15]]);
  selection.extend(12);
  assert.deepEqual(flat(selection), [[2, 3], [10, 13]]);
  selection.extend(8);
  assert.deepEqual(flat(selection), [[2, 3], [8, 11]]);
  selection.extend(1);
  assert.deepEqual(flat(selection), [[1, 11]]);
});

test('with nothing to extend from, it begins where the reader is', () => {
  const selection = new Selection();
  selection.extend(6, 4);
  assert.deepEqual(flat(selection), [[4, 7]]);
  selection.unpin();
  selection.extend(21, 20);
  assert.deepEqual(flat(selection), [[4, 7], [20, 22]]);
});

test('a million are one stretch', () => {
  const selection = new Selection();
  selection.only(0, 1_000_000);
  assert.equal(selection.count, 1_000_000);
  assert.ok(selection.is(0, 1_000_000));
  selection.toggle(500_000);
  assert.equal(selection.count, 999_999);
  assert.equal(selection.stretches.length, 2);
  assert.deepEqual(selection.some(3), [0, 1, 2]);
  selection.clear();
  assert.equal(selection.count, 0);
  assert.deepEqual(selection.some(3), []);
});
