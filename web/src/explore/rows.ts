// Justified rows: photographs of any shape, set into rows that all end at the right edge.
//
// The same rows as the style sheet's flex grid makes: a row takes photographs at the wanted height until the next one
// does not fit, and then grows until it is full. Two rules more, for shapes that a flex grid handles badly: a row that
// would have to grow above STRETCH_MAX takes the next photograph too where that comes nearer to the wanted height, and
// none ever grows beyond it. A last row under LAST_ROW_FULL keeps the wanted height.
//
// A cut may be drawn before a photograph: the row before it ends there, keeps the wanted height where it is not full, and
// is followed by some room for words.
//
// Nothing here knows of the page. The ratio of a photograph may be unknown (0): it then counts as FALLBACK_RATIO, and
// `layout(from, to)` puts right what changes when it is learned. That touches only the rows between the change and the
// first row that begins where it began before; the rest is moved as a whole.

export interface Metrics {
  width: number; // of the grid, px
  height: number; // wanted height of a photograph, px
  gap: number; // between photographs of a row, px
  caption: number; // under each photograph, px
  rowGap: number; // under each row, px
}

export interface Cut {
  item: number; // the first photograph below it
  room: number; // px
}

export interface Tile {
  item: number;
  x: number;
  width: number;
}

const FALLBACK_RATIO = 4 / 3; // what most cameras make
const RATIO_MIN = 0.2; // a scroll of wallpaper, or a strip of film, is shown cropped
const RATIO_MAX = 8;
const STRETCH_MAX = 1.6; // how far a row may grow above the wanted height
const LAST_ROW_FULL = 0.8;

export class Rows {
  count = 0; // of rows
  items = 0;
  #metrics: Metrics;
  #cut: Cut | null = null;
  #ratios = new Float32Array(0); // [items]; 0 = not known
  #first = new Int32Array(1); // [rows + 1]; first item of each row, then `items`
  #top = new Float64Array(1); // [rows + 1]; px; then the height of all
  #height = new Float32Array(0); // [rows]; of the photographs, px

  constructor(metrics: Metrics) {
    this.#metrics = metrics;
  }

  get metrics(): Metrics {
    return this.#metrics;
  }

  get height(): number {
    return this.#top[this.count]!;
  }

  /** Sets how many photographs there are. Ratios that are known stay. */
  resize(items: number): void {
    if (items === this.items) return;
    const ratios = new Float32Array(items);
    ratios.set(this.#ratios.subarray(0, Math.min(items, this.items)));
    this.#ratios = ratios;
    const before = this.items;
    this.items = items;
    this.#reserve(items);
    this.layout(Math.max(0, Math.min(before, items) - 1), items);
  }

  get cut(): Cut | null {
    return this.#cut;
  }

  /** Where the words of the cut begin; null: there is none. */
  get cutTop(): number | null {
    return this.#cut && this.#cut.item < this.items && this.count > 0 ? this.top(this.rowOf(this.#cut.item)) - this.#cut.room : null;
  }

  /** Draws a cut, or takes it away. */
  setCut(cut: Cut | null): void {
    if (cut?.item === this.#cut?.item && cut?.room === this.#cut?.room) return;
    this.#cut = cut;
    this.layout(0, this.items);
  }

  /** Lays out anew for another width or height. */
  setMetrics(metrics: Metrics): void {
    this.#metrics = metrics;
    this.layout(0, this.items);
  }

  /** Tells the shapes of the photographs from `first` on; a ratio is width / height. Returns whether rows changed. */
  setRatios(first: number, ratios: readonly number[]): boolean {
    let from = -1;
    let to = -1;
    ratios.forEach((ratio, i) => {
      const item = first + i;
      const value = Math.fround(ratio > 0 ? Math.min(RATIO_MAX, Math.max(RATIO_MIN, ratio)) : 0);
      if (item >= this.items || this.#ratios[item] === value) return;
      this.#ratios[item] = value;
      if (from < 0) from = item;
      to = item + 1;
    });
    if (from >= 0) this.layout(from, to);
    return from >= 0;
  }

  /** Makes the rows again after the photographs [from, to) changed. */
  layout(from: number, to: number): void {
    const { width } = this.#metrics;
    if (this.items === 0 || width <= 0) {
      this.count = 0;
      this.#first[0] = 0;
      this.#top[0] = 0;
      return;
    }
    // A row's end depends on the first photograph of the next one: begin one row earlier.
    let row = this.count > 0 ? Math.max(0, this.rowOf(Math.min(from, this.#first[this.count]! - 1)) - 1) : 0;
    let item = row > 0 ? this.#first[row]! : 0;
    let top = row > 0 ? this.#top[row]! - (item === this.#cut?.item ? this.#cut.room : 0) : 0;
    const old = this.count > 0 ? { first: this.#first.slice(0, this.count + 1), top: this.#top.slice(0, this.count + 1), height: this.#height.slice(0, this.count) } : null;
    let seen = row;
    while (item < this.items) {
      if (old && item >= to) {
        while (seen < old.height.length && old.first[seen]! < item) seen++;
        if (seen < old.height.length && old.first[seen] === item && old.first[old.height.length] === this.items) {
          this.#append(old, seen, row, top + (item === this.#cut?.item ? this.#cut.room : 0));
          return;
        }
      }
      const next = this.#endOfRow(item);
      if (item === this.#cut?.item) top += this.#cut.room;
      this.#first[row] = item;
      this.#top[row] = top;
      const height = this.#heightOfRow(item, next);
      this.#height[row] = height;
      top += height + this.#metrics.caption + this.#metrics.rowGap;
      item = next;
      row++;
    }
    this.#finish(row, top);
  }

  rowOf(item: number): number {
    return upperBound(this.#first, this.count, item) - 1;
  }

  /** The row at a height of the grid; the nearest one above or below it. */
  rowAt(y: number): number {
    return Math.max(0, upperBound(this.#top, this.count, y) - 1);
  }

  first(row: number): number {
    return this.#first[row]!;
  }

  /** The item behind the last one of a row. */
  end(row: number): number {
    return this.#first[row + 1]!;
  }

  top(row: number): number {
    return this.#top[row]!;
  }

  /** Height of the photographs of a row, without the captions. */
  photoHeight(row: number): number {
    return this.#height[row]!;
  }

  /** Where the photographs of a row stand. Widths are whole pixels, and a full row ends exactly at the edge. */
  tiles(row: number): Tile[] {
    const { gap } = this.#metrics;
    const first = this.first(row);
    const end = this.end(row);
    const height = this.photoHeight(row);
    const natural = this.#ratioSum(first, end) * height;
    const available = this.#metrics.width - gap * (end - first - 1);
    // Heights are whole pixels too, so a full row is up to half a pixel a photograph off: spread it.
    const fit = Math.abs(natural - available) <= available * 0.02 || natural > available ? available / natural : 1;
    let x = 0;
    return Array.from({ length: end - first }, (_, i) => {
      const left = Math.round(x);
      const width = this.ratio(first + i) * height * fit;
      x += width;
      return { item: first + i, x: left + i * gap, width: Math.round(x) - left };
    });
  }

  ratio(item: number): number {
    return this.#ratios[item] || FALLBACK_RATIO;
  }

  #reserve(items: number): void {
    if (this.#height.length >= items) return;
    const grow = <T extends Int32Array | Float64Array | Float32Array>(old: T, made: T): T => {
      made.set(old);
      return made;
    };
    this.#first = grow(this.#first, new Int32Array(items + 1));
    this.#top = grow(this.#top, new Float64Array(items + 1));
    this.#height = grow(this.#height, new Float32Array(items));
  }

  #append(old: { first: Int32Array; top: Float64Array; height: Float32Array }, from: number, row: number, top: number): void {
    const shift = top - old.top[from]!;
    const rows = old.height.length - from;
    for (let i = 0; i < rows; i++) {
      this.#first[row + i] = old.first[from + i]!;
      this.#top[row + i] = old.top[from + i]! + shift;
      this.#height[row + i] = old.height[from + i]!;
    }
    this.#finish(row + rows, old.top[old.height.length]! + shift);
  }

  #finish(rows: number, height: number): void {
    this.count = rows;
    this.#first[rows] = this.items;
    this.#top[rows] = height;
  }

  #ratioSum(first: number, end: number): number {
    let sum = 0;
    for (let i = first; i < end; i++) sum += this.ratio(i);
    return sum;
  }

  /** No row goes beyond the cut, nor the end. */
  #sectionEnd(first: number): number {
    return this.#cut && first < this.#cut.item ? Math.min(this.#cut.item, this.items) : this.items;
  }

  #endOfRow(first: number): number {
    const { width, height, gap } = this.#metrics;
    const items = this.#sectionEnd(first);
    let sum = this.ratio(first);
    let end = first + 1;
    for (; end < items; end++) {
      const taken = gap * (end - first);
      const more = sum + this.ratio(end);
      if (more * height + taken > width) {
        const without = (width - taken + gap) / sum / height;
        const within = (width - taken) / more / height;
        return without > STRETCH_MAX && 1 / within < without ? end + 1 : end;
      }
      sum = more;
    }
    return end;
  }

  #heightOfRow(first: number, end: number): number {
    const { width, height, gap } = this.#metrics;
    const sum = this.#ratioSum(first, end);
    const available = width - gap * (end - first - 1);
    const full = available / sum;
    if (end === this.#sectionEnd(first) && full > height && (sum * height) / available < LAST_ROW_FULL) return height;
    return Math.max(1, Math.round(Math.min(full, height * STRETCH_MAX)));
  }
}

/** The first index of [0, count) whose value is above `wanted`. */
function upperBound(values: Int32Array | Float64Array, count: number, wanted: number): number {
  let low = 0;
  let high = count;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (values[middle]! <= wanted) low = middle + 1;
    else high = middle;
  }
  return low;
}
