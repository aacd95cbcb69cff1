// The newest photographs in rows of one height, each row filled once and then left alone: what is looked at never moves.
// When every row is full, the oldest one gives its place to a whole new one.

import type { NewestPhoto } from '../types.ts';

export interface Row {
  key: number;
  photos: NewestPhoto[];
  full: boolean; // fills the width; else its photographs stand at their own width, and more may follow
}

export interface Room {
  width: number; // px
  height: number; // px, of one row
  gap: number; // px
  rows: number;
}

const WAITING_MAX = 48;

export const ratioOf = (photo: NewestPhoto): number => {
  const ratio = photo.width > 0 && photo.height > 0 ? photo.width / photo.height : 4 / 3;
  return Math.min(3, Math.max(0.5, ratio)); // a panorama does not get a row of its own
};

/** How many of the first photos fill a row best; 0: not enough of them. */
export function fillRow(photos: readonly NewestPhoto[], room: Room): number {
  let width = 0;
  for (let n = 1; n <= photos.length; n++) {
    const before = width;
    const photo = photos[n - 1];
    if (!photo) break;
    width += ratioOf(photo) * room.height + (n > 1 ? room.gap : 0);
    if (width < room.width) continue;
    // One more cuts each at the sides, one fewer at top and bottom: whichever is less.
    return n > 1 && room.width / before < width / room.width ? n - 1 : n;
  }
  return 0;
}

export class FreshRows {
  rows: Row[] = [];
  #waiting: NewestPhoto[] = []; // oldest first
  #seen = new Set<number>();
  #key = 0;

  forget(): void {
    this.rows = [];
    this.#waiting = [];
    this.#seen.clear();
  }

  /** The room has another size: everything is placed anew, in the order it has. */
  rearrange(): void {
    this.#waiting = [...this.rows.flatMap((row) => row.photos), ...this.#waiting];
    this.rows = [];
  }

  /** `newest`: as in the snapshot, newest first. */
  offer(newest: readonly NewestPhoto[]): void {
    for (const photo of [...newest].reverse()) {
      if (this.#seen.has(photo.id)) continue;
      this.#seen.add(photo.id);
      this.#waiting.push(photo);
    }
    this.#waiting = this.#waiting.slice(-WAITING_MAX);
  }

  /** Places what fits. `last`: no more will come, so what is left is shown, too. True when something changed. */
  place(room: Room, last: boolean): boolean {
    if (room.width <= 0 || room.rows <= 0) return false;
    let changed = false;
    while (this.#placeRow(room)) {
      changed = true;
      if (this.rows.length >= room.rows) break; // full: one row at a time from here on
    }
    return this.#placeRest(room, last) || changed;
  }

  #placeRow(room: Room): boolean {
    const open = this.rows.find((row) => !row.full);
    const photos = [...(open?.photos ?? []), ...this.#waiting];
    const n = fillRow(photos, room);
    if (n === 0) return false;
    const row: Row = { key: open?.key ?? ++this.#key, photos: photos.slice(0, n), full: true };
    this.#waiting = photos.slice(n);
    if (open) this.rows = this.rows.map((one) => (one === open ? row : one));
    else if (this.rows.length < room.rows) this.rows = [...this.rows, row];
    else this.rows = this.rows.map((one, _, all) => (one.key === Math.min(...all.map(({ key }) => key)) ? row : one));
    return true;
  }

  // The very first photographs are shown one by one, and the last ones of a short job.
  #placeRest(room: Room, last: boolean): boolean {
    if (!this.#waiting.length) return false;
    const open = this.rows.find((row) => !row.full);
    if (!open && !(this.rows.length === 0 || (last && this.rows.length < room.rows))) return false;
    const row: Row = { key: open?.key ?? ++this.#key, photos: [...(open?.photos ?? []), ...this.#waiting], full: false };
    this.rows = open ? this.rows.map((one) => (one === open ? row : one)) : [...this.rows, row];
    this.#waiting = [];
    return true;
  }
}
