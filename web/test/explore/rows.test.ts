import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Metrics, Rows } from '../../src/explore/rows.ts';

const desk: Metrics = { width: 1090, height: 210, gap: 6, caption: 24, rowGap: 8 };
const shapes = [4 / 3, 3 / 4, 3 / 2, 2 / 3, 16 / 9, 9 / 16, 1, 3.2];

function random(seed: number): () => number {
  let state = seed;
  return () => (state = (state * 1103515245 + 12345) % 2147483648) / 2147483648;
}

function filled(n: number, metrics = desk, seed = 7): Rows {
  const rows = new Rows(metrics);
  const next = random(seed);
  rows.resize(n);
  rows.setRatios(
    0,
    Array.from({ length: n }, () => shapes[Math.floor(next() * shapes.length)]!),
  );
  return rows;
}

function flat(rows: Rows): unknown {
  return Array.from({ length: rows.count }, (_, r) => [rows.first(r), rows.end(r), rows.top(r), rows.photoHeight(r)]);
}

test('every photograph stands in exactly one row, and rows stand below one another', () => {
  const rows = filled(1000);
  let item = 0;
  for (let r = 0; r < rows.count; r++) {
    assert.equal(rows.first(r), item);
    assert.ok(rows.end(r) > item);
    item = rows.end(r);
    assert.equal(rows.top(r) + rows.photoHeight(r) + 24 + 8, r + 1 < rows.count ? rows.top(r + 1) : rows.height);
  }
  assert.equal(item, 1000);
});

test('a full row ends exactly at the right edge, with gaps of 6 between whole pixels', () => {
  const rows = filled(1000);
  for (let r = 0; r < rows.count - 1; r++) {
    const tiles = rows.tiles(r);
    const last = tiles[tiles.length - 1]!;
    if (rows.photoHeight(r) < 210 * 1.6) assert.equal(last.x + last.width, 1090);
    tiles.forEach((tile, i) => {
      if (i > 0) assert.equal(tile.x, tiles[i - 1]!.x + tiles[i - 1]!.width + 6);
      assert.ok(Number.isInteger(tile.width) && tile.width > 0);
    });
  }
});

test('rows are those of the flex grid: 3 of 4:3 and not 4, grown to the edge', () => {
  const rows = filled(0);
  rows.resize(7);
  rows.setRatios(0, Array<number>(7).fill(4 / 3));
  assert.deepEqual([rows.first(0), rows.end(0), rows.end(1), rows.count], [0, 3, 6, 3]);
  assert.equal(rows.photoHeight(0), 269); // (1090 - 12) / 4, less a hair: ratios are 32 bit
});

test('a last row under 80 % full keeps the wanted height, a fuller one grows', () => {
  const rows = new Rows(desk);
  rows.resize(2);
  rows.setRatios(0, [4 / 3, 4 / 3]);
  assert.equal(rows.photoHeight(0), 210);
  rows.setRatios(0, [2.2, 2.2]); // 924 of 1084 px
  assert.equal(rows.photoHeight(0), 246);
});

test('no shape makes a row monstrous', () => {
  const rows = new Rows({ ...desk, width: 366, height: 116 });
  rows.resize(5);
  rows.setRatios(0, [0.5, 12, 0.01, 30, 1]);
  for (let r = 0; r < rows.count; r++) {
    assert.ok(rows.photoHeight(r) <= 116 * 1.6 + 1, `row ${r}: ${rows.photoHeight(r)}`);
    assert.ok(rows.photoHeight(r) >= 30);
    for (const tile of rows.tiles(r)) assert.ok(tile.x + tile.width <= 366);
  }
});

test('laid out in windows, in any order, the rows are those of all at once', () => {
  const all = filled(3000);
  const next = random(11);
  const rows = new Rows(desk);
  rows.resize(3000);
  const pages = Array.from({ length: 30 }, (_, page) => page).sort(() => next() - 0.5);
  for (const page of pages) {
    rows.setRatios(
      page * 100,
      Array.from({ length: 100 }, (_, i) => all.ratio(page * 100 + i)),
    );
  }
  assert.deepEqual(flat(rows), flat(all));
});

test('more and fewer photographs, and another width, leave the rows of all at once', () => {
  const rows = filled(500);
  rows.resize(730);
  rows.resize(310);
  assert.deepEqual(flat(rows), flat(trimmed(500, 310)));
  rows.setMetrics({ ...desk, width: 700, height: 140 });
  const other = filled(500, { ...desk, width: 700, height: 140 });
  other.resize(310);
  assert.deepEqual(flat(rows), flat(other));
  rows.resize(0);
  assert.equal(rows.height, 0);
  assert.equal(rows.count, 0);
});

function trimmed(n: number, to: number): Rows {
  const whole = filled(n);
  const rows = new Rows(desk);
  rows.resize(to);
  rows.setRatios(
    0,
    Array.from({ length: to }, (_, i) => whole.ratio(i)),
  );
  return rows;
}

test('what is asked by item and by height agrees', () => {
  const rows = filled(1000);
  for (let r = 0; r < rows.count; r++) {
    assert.equal(rows.rowOf(rows.first(r)), r);
    assert.equal(rows.rowOf(rows.end(r) - 1), r);
    assert.equal(rows.rowAt(rows.top(r)), r);
    assert.equal(rows.rowAt(rows.top(r) + rows.photoHeight(r)), r);
  }
  assert.equal(rows.rowAt(-50), 0);
  assert.equal(rows.rowAt(1e9), rows.count - 1);
});

test('10,000 photographs, window by window, take far less than a frame each', () => {
  const rows = new Rows(desk);
  rows.resize(10_000);
  const next = random(3);
  const from = performance.now();
  for (let page = 0; page < 100; page++) {
    rows.setRatios(
      page * 100,
      Array.from({ length: 100 }, () => shapes[Math.floor(next() * shapes.length)]!),
    );
  }
  const each = (performance.now() - from) / 100;
  assert.ok(each < 8, `${each} ms a window`); // 0.06 ms measured
});

test('a row ends at the cut, which has room for its words', () => {
  const rows = filled(400);
  rows.setCut({ item: 37, room: 44 });
  const row = rows.rowOf(37);
  assert.equal(rows.first(row), 37);
  assert.equal(rows.top(row) - (rows.top(row - 1) + rows.photoHeight(row - 1) + 24 + 8), 44);
  assert.equal(rows.cutTop, rows.top(row) - 44);
  assert.ok(rows.photoHeight(row - 1) <= 210 * 1.6);
});

test('with a cut, rows that are learned piece by piece are those that are laid out at once', () => {
  for (const item of [0, 1, 37, 120, 121, 399]) {
    const whole = filled(400);
    whole.setCut({ item, room: 44 });
    const pieces = new Rows(desk);
    pieces.setCut({ item, room: 44 });
    pieces.resize(400);
    const all = Array.from({ length: 400 }, (_, i) => whole.ratio(i));
    for (const first of [100, 0, 300, 200]) pieces.setRatios(first, all.slice(first, first + 100));
    assert.deepEqual(flat(pieces), flat(whole), `cut before ${item}`);
  }
});

test('a cut behind the end, or none, changes nothing', () => {
  const rows = filled(50);
  const before = flat(rows);
  rows.setCut({ item: 50, room: 44 });
  assert.equal(rows.cutTop, null);
  assert.deepEqual(flat(rows), before);
  rows.setCut({ item: 20, room: 44 });
  rows.setCut(null);
  assert.deepEqual(flat(rows), before);
});
