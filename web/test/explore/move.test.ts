import assert from 'node:assert/strict';
import { test } from 'node:test';
import { moveBy, NO_GOAL } from '../../src/explore/move.ts';
import { Rows } from '../../src/explore/rows.ts';

// Rows of width 600: items 0-2, 3-5, 6-8 ..., each 200 wide less gaps.
function threes(items: number): Rows {
  const rows = new Rows({ width: 600, height: 140, gap: 6, caption: 24, rowGap: 8 });
  rows.resize(items);
  rows.setRatios(0, Array<number>(items).fill(4 / 3));
  assert.equal(rows.end(0), 3);
  return rows;
}

const at = (item: number, goal = NO_GOAL) => ({ item, goal });

test('Left and Right go through rows and stop at the ends', () => {
  const rows = threes(20);
  assert.equal(moveBy(rows, at(2), 'ArrowRight', 500)!.item, 3);
  assert.equal(moveBy(rows, at(3), 'ArrowLeft', 500)!.item, 2);
  assert.equal(moveBy(rows, at(0), 'ArrowLeft', 500)!.item, 0);
  assert.equal(moveBy(rows, at(19), 'ArrowRight', 500)!.item, 19);
});

test('Up and Down go to what stands above and below', () => {
  const rows = threes(20);
  assert.equal(moveBy(rows, at(4), 'ArrowUp', 500)!.item, 1);
  assert.equal(moveBy(rows, at(4), 'ArrowDown', 500)!.item, 7);
  assert.equal(moveBy(rows, at(1), 'ArrowUp', 500)!.item, 1);
});

test('Up and Down keep the column over rows of other shapes', () => {
  const rows = new Rows({ width: 600, height: 140, gap: 6, caption: 24, rowGap: 8 });
  rows.resize(7);
  rows.setRatios(0, [4 / 3, 4 / 3, 4 / 3, 4.2, 4 / 3, 4 / 3, 4 / 3]);
  const down = moveBy(rows, at(2), 'ArrowDown', 500)!;
  assert.equal(down.item, 3); // one wide photograph
  assert.equal(moveBy(rows, down, 'ArrowDown', 500)!.item, 6); // and back on the right
  assert.equal(moveBy(rows, at(3), 'ArrowDown', 500)!.item, 5); // from it anew: its middle
});

test('Home and End are the ends of the list', () => {
  const rows = threes(20);
  assert.equal(moveBy(rows, at(7), 'Home', 500)!.item, 0);
  assert.equal(moveBy(rows, at(7), 'End', 500)!.item, 19);
});

test('pages are as high as the view, at least one row, and pass nothing unseen', () => {
  const rows = threes(100);
  const step = rows.top(1);
  for (const view of [50, step * 2.5, step * 4]) {
    const down = moveBy(rows, at(31), 'PageDown', view)!.item;
    const moved = rows.rowOf(down) - rows.rowOf(31);
    assert.equal(moved, Math.max(1, Math.floor(view / step)));
    assert.equal(down % 3, 1);
    assert.equal(moveBy(rows, at(down), 'PageUp', view)!.item, 31);
  }
  assert.equal(rows.rowOf(moveBy(rows, at(98), 'PageDown', 900)!.item), rows.count - 1);
  assert.equal(moveBy(rows, at(4), 'PageUp', 9000)!.item, 1);
});

test('other keys, and an empty grid, are not ours', () => {
  assert.equal(moveBy(threes(20), at(3), 'a', 500), null);
  assert.equal(moveBy(new Rows({ width: 600, height: 140, gap: 6, caption: 24, rowGap: 8 }), at(0), 'Home', 500), null);
});
