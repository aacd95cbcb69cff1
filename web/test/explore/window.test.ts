import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Rows } from '../../src/explore/rows.ts';
import { anchorAt, rowsNear, Scroller, TALLEST_PX, topFor } from '../../src/explore/window.ts';

function grid(items: number, width = 1090, height = 210): Rows {
  const rows = new Rows({ width, height, gap: 6, caption: 24, rowGap: 8 });
  rows.resize(items);
  rows.setRatios(
    0,
    Array.from({ length: items }, (_, i) => [4 / 3, 0.75, 1.5][i % 3]!),
  );
  return rows;
}

test('the rows near the view are those that reach into it and its margins', () => {
  const rows = grid(2000);
  const top = 5000;
  const span = rowsNear(rows, top, 800, 400);
  const reaches = (row: number) => rows.top(row) + rows.photoHeight(row) + 32 > top - 400 && rows.top(row) <= top + 1200;
  for (let row = 0; row < rows.count; row++) assert.equal(row >= span.from && row < span.to, reaches(row), `row ${row}`);
  assert.deepEqual(rowsNear(grid(0), 0, 800, 400), { from: 0, to: 0 });
  assert.equal(rowsNear(rows, 1e9, 800, 400).to, rows.count);
});

test('at every size, few tiles are in the document', () => {
  for (const height of [116, 140, 210, 320]) {
    const rows = grid(10_000, 1340, height);
    const span = rowsNear(rows, 40_000, 860, 430);
    const tiles = rows.end(span.to - 1) - rows.first(span.from);
    assert.ok(tiles < 160, `${tiles} tiles of ${height} px`);
  }
});

test('what is looked at stays in its place when the width changes', () => {
  const rows = grid(2000);
  const anchor = anchorAt(rows, 7777, 800)!;
  const before = rows.top(rows.rowOf(anchor.item)) - 7777;
  rows.setMetrics({ ...rows.metrics, width: 640, height: 140 });
  assert.equal(rows.top(rows.rowOf(anchor.item)) - topFor(rows, anchor), before);
});

test('a photograph with the focus is the anchor while it is to be seen', () => {
  const rows = grid(2000);
  const row = rows.rowAt(8000);
  assert.equal(anchorAt(rows, 7777, 800, rows.first(row) + 1)!.item, rows.first(row) + 1);
  assert.notEqual(anchorAt(rows, 7777, 800, 3)!.item, 3);
});

test('at the top the grid stays at the top', () => {
  const rows = grid(2000);
  const anchor = anchorAt(rows, 0, 800)!;
  rows.setRatios(0, Array<number>(100).fill(0.5));
  assert.equal(topFor(rows, anchor), 0);
  assert.equal(anchorAt(grid(0), 0, 800), null);
});

test('a grid of usual height scrolls as the bar does', () => {
  const scroller = new Scroller();
  scroller.resize(350_000, 800);
  scroller.follow(123_456);
  assert.equal(scroller.top, 123_456);
  assert.equal(scroller.shift, 0);
  assert.equal(scroller.tall, 350_000);
  scroller.go(1e9);
  assert.equal(scroller.bar, 349_200);
});

test('a grid of a million photographs reaches every place with a bar of 16 million px', () => {
  const whole = 80_000_000;
  const scroller = new Scroller();
  scroller.resize(whole, 800);
  assert.equal(scroller.tall, TALLEST_PX);
  scroller.follow(TALLEST_PX - 800);
  assert.equal(scroller.top, whole - 800);
  scroller.follow(0);
  assert.equal(scroller.top, 0);
  scroller.follow(8_000_000); // a jump: half of the whole
  assert.ok(Math.abs(scroller.top - whole / 2) < 2500, `${scroller.top}`);
});

test('in a very tall grid the wheel moves as far as it does elsewhere', () => {
  const scroller = new Scroller();
  scroller.resize(80_000_000, 800);
  scroller.follow(8_000_000);
  const before = scroller.top;
  scroller.follow(8_000_120);
  assert.equal(scroller.top, before + 120);
  const row = before + 300; // the row stands 300 px below the top of the view before, 180 px after
  assert.equal(row + scroller.shift - scroller.bar, 180);
  scroller.settle();
  assert.equal(scroller.top, before + 120);
  assert.ok(Math.abs(scroller.bar - 8_000_024) < 2, `${scroller.bar}`);
});
