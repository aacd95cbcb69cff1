// Keys of the grid: from one photograph to the next, over rows as they are seen.

import type { Rows } from './rows.ts';

export interface Place {
  item: number;
  goal: number; // px from the left edge that Up and Down try to keep
}

export const NO_GOAL = -1;

/** Where a key leads from `at`, or null when it is none of ours. `view` is the height of what is seen, px. */
export function moveBy(rows: Rows, at: Place, key: string, view: number): Place | null {
  if (rows.items === 0) return null;
  const last = rows.items - 1;
  switch (key) {
    case 'ArrowLeft':
      return { item: Math.max(0, at.item - 1), goal: NO_GOAL };
    case 'ArrowRight':
      return { item: Math.min(last, at.item + 1), goal: NO_GOAL };
    case 'Home':
      return { item: 0, goal: NO_GOAL };
    case 'End':
      return { item: last, goal: NO_GOAL };
    case 'ArrowUp':
      return toRow(rows, at, rows.rowOf(at.item) - 1);
    case 'ArrowDown':
      return toRow(rows, at, rows.rowOf(at.item) + 1);
    case 'PageUp':
      return toRow(rows, at, pageRow(rows, at, -view));
    case 'PageDown':
      return toRow(rows, at, pageRow(rows, at, view));
    default:
      return null;
  }
}

/** The row a view away, at least the next one: pages overlap, so that nothing is passed unseen. */
function pageRow(rows: Rows, at: Place, by: number): number {
  const row = rows.rowOf(at.item);
  const there = rows.rowAt(Math.max(0, rows.top(row) + by));
  if (by > 0) return Math.max(row + 1, there);
  return Math.min(row - 1, rows.top(there) < rows.top(row) + by ? there + 1 : there);
}

function toRow(rows: Rows, at: Place, row: number): Place {
  const from = rows.rowOf(at.item);
  const to = Math.max(0, Math.min(rows.count - 1, row));
  const own = rows.tiles(from).find((tile) => tile.item === at.item)!;
  const goal = at.goal === NO_GOAL ? own.x + own.width / 2 : at.goal;
  if (to === from) return { item: at.item, goal };
  let best = rows.first(to);
  let distance = Infinity;
  for (const tile of rows.tiles(to)) {
    const away = Math.abs(tile.x + tile.width / 2 - goal);
    if (away < distance) {
      distance = away;
      best = tile.item;
    }
  }
  return { item: best, goal };
}
