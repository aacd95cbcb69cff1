// What of a tall grid is in the document, and how its scroll bar stands for more pixels than an element can have.

import type { Rows } from './rows.ts';

export const TALLEST_PX = 16_000_000; // Chromium ends at 33.5 million, Firefox at 17.8 million

export interface Span {
  from: number;
  to: number; // behind the last
}

/** The rows between `top` and `top + height`, and `margin` px more on both sides. */
export function rowsNear(rows: Rows, top: number, height: number, margin: number): Span {
  if (rows.count === 0) return { from: 0, to: 0 };
  return { from: rows.rowAt(Math.max(0, top - margin)), to: rows.rowAt(top + height + margin) + 1 };
}

/** What stays in place when rows are made anew: a photograph, and where its row stood from the top of the view. */
export interface Anchor {
  item: number;
  offset: number; // px of the row's top below the top of the view
}

/** The first row that begins in the view, or the one that fills it. `prefer` is taken when it is to be seen. */
export function anchorAt(rows: Rows, top: number, height: number, prefer = -1): Anchor | null {
  if (rows.count === 0) return null;
  if (prefer >= 0 && prefer < rows.items) {
    const offset = rows.top(rows.rowOf(prefer)) - top;
    if (offset > -rows.photoHeight(rows.rowOf(prefer)) && offset < height) return { item: prefer, offset };
  }
  if (top <= 0) return { item: 0, offset: -top };
  let row = rows.rowAt(top);
  if (row + 1 < rows.count && rows.top(row) < top && rows.top(row + 1) < top + height) row++;
  return { item: rows.first(row), offset: rows.top(row) - top };
}

/** Where the view must begin for the anchor to stand where it stood. */
export function topFor(rows: Rows, anchor: Anchor): number {
  return rows.count === 0 ? 0 : Math.max(0, rows.top(rows.rowOf(Math.min(anchor.item, rows.items - 1))) - anchor.offset);
}

/**
 * A grid taller than TALLEST_PX: the scroll bar (`bar`) and the place in the grid (`top`) run at different speeds. Small
 * steps (wheel, keys, finger) move the grid as far as the bar; a step of more than a view is a jump and goes to the
 * same share of the whole. `settle` brings the bar back to the share, once scrolling has stopped.
 */
export class Scroller {
  bar = 0;
  top = 0;
  #whole = 0;
  #view = 0;

  get tall(): number {
    return Math.min(this.#whole, TALLEST_PX);
  }

  /** How far rows stand from where they would without a limit: px to add to the top of each. */
  get shift(): number {
    return this.bar - this.top;
  }

  resize(whole: number, view: number): void {
    this.#whole = whole;
    this.#view = view;
  }

  /** The bar was moved to `bar`. */
  follow(bar: number): void {
    const step = bar - this.bar;
    const end = this.tall - this.#view;
    this.bar = bar;
    if (this.#whole <= TALLEST_PX) this.top = bar;
    else if (bar <= 0) this.top = 0;
    else if (bar >= end) this.top = this.#whole - this.#view;
    else if (Math.abs(step) <= this.#view) this.top = this.#clamp(this.top + step);
    else this.top = (bar / end) * (this.#whole - this.#view);
  }

  /** Goes to a place of the grid; the bar must then be set to `bar`. */
  go(top: number): void {
    this.top = this.#clamp(top);
    this.settle();
  }

  settle(): void {
    if (this.#whole <= TALLEST_PX) this.bar = this.top;
    else this.bar = Math.round((this.top / (this.#whole - this.#view)) * (this.tall - this.#view));
  }

  #clamp(top: number): number {
    return Math.max(0, Math.min(top, this.#whole - this.#view));
  }
}
