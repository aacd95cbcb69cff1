import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fillRow, FreshRows, ratioOf, type Room } from '../src/loading/rows.ts';
import type { NewestPhoto } from '../src/types.ts';

const room: Room = { width: 900, height: 150, gap: 6, rows: 3 };
const photo = (id: number, width = 3, height = 2): NewestPhoto => ({ id, width, height });
const newest = (from: number, to: number): NewestPhoto[] => Array.from({ length: to - from + 1 }, (_, i) => photo(to - i));

test('a row is full when little is cut away', () => {
  const photos = Array.from({ length: 12 }, (_, i) => photo(i, 2 + (i % 3), 2));
  const n = fillRow(photos, room);
  const width = photos.slice(0, n).reduce((sum, one) => sum + ratioOf(one) * room.height, 0) + (n - 1) * room.gap;
  assert.ok(width / room.width > 0.8 && width / room.width < 1.25, String(width));
  assert.equal(fillRow([photo(1)], room), 0);
  assert.equal(fillRow([], room), 0);
});

test('a size that is not known is an ordinary one, a panorama is bounded', () => {
  assert.equal(ratioOf(photo(1, 0, 0)), 4 / 3);
  assert.equal(ratioOf(photo(1, 9000, 300)), 3);
});

test('the first ones are seen one by one, and stay where they are', () => {
  const fresh = new FreshRows();
  fresh.offer(newest(1, 1));
  assert.ok(fresh.place(room, false));
  fresh.offer(newest(1, 3));
  fresh.place(room, false);
  assert.deepEqual(fresh.rows.map((row) => row.photos.map(({ id }) => id)), [[1, 2, 3]]);
  assert.equal(fresh.rows[0]?.full, false);
});

test('nothing new changes nothing', () => {
  const fresh = new FreshRows();
  fresh.offer(newest(1, 3));
  fresh.place(room, false);
  fresh.offer(newest(1, 3));
  assert.equal(fresh.place(room, false), false);
});

test('when all rows are full the oldest gives its place, and no other moves', () => {
  const fresh = new FreshRows();
  fresh.offer(newest(1, 12));
  fresh.place(room, false);
  assert.equal(fresh.rows.length, 3);
  const before = fresh.rows;
  fresh.offer(newest(13, 16));
  fresh.place(room, false);
  assert.equal(fresh.rows.length, 3);
  assert.notEqual(fresh.rows[0]?.key, before[0]?.key);
  assert.equal(fresh.rows[1], before[1]);
  assert.equal(fresh.rows[2], before[2]);
  fresh.offer(newest(17, 20));
  fresh.place(room, false);
  assert.equal(fresh.rows[2], before[2]);
  assert.notEqual(fresh.rows[1], before[1]);
});

test('what is left is shown at the end, when there is room', () => {
  const fresh = new FreshRows();
  fresh.offer(newest(1, 6));
  fresh.place(room, false);
  assert.equal(fresh.rows.length, 1);
  fresh.place(room, true);
  assert.deepEqual(fresh.rows[1]?.photos.map(({ id }) => id), [5, 6]);
});

test('another width keeps every photograph and its order', () => {
  const fresh = new FreshRows();
  fresh.offer(newest(1, 12));
  fresh.place(room, false);
  fresh.rearrange();
  fresh.place({ ...room, width: 450, rows: 9 }, true);
  assert.deepEqual(fresh.rows.flatMap((row) => row.photos.map(({ id }) => id)), [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
});
