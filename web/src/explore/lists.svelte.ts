// The lists of photographs that were asked for: what is fetched of them, how they are laid out, where the reader is.

import { api } from '../api.ts';
import { live } from '../snapshot.svelte.ts';
import type { Hit, Hits, Sort } from '../types.ts';
import type { Picture } from './pictures.svelte.ts';
import { Results } from './results.ts';
import { Rows } from './rows.ts';
import type { Anchor } from './window.ts';

export type Source =
  | { kind: 'search'; q: string; sort: Sort | null }
  | { kind: 'ids'; ids: number[] }
  | { kind: 'picture'; picture: Picture };

const KEPT = 8; // lists in memory, for the back button
const EXPECTED = 30; // tiles that stand in for results until their number is known

export function keyOf(source: Source): string {
  if (source.kind === 'search') return `search ${source.sort ?? ''} ${source.q}`;
  return source.kind === 'ids' ? `ids ${source.ids.join()}` : `picture ${source.picture.key}`;
}

function ask(source: Source, offset: number, n: number, signal: AbortSignal): Promise<Hits> {
  if (source.kind === 'search') {
    return api.search(source.q, { offset, n, ...(source.sort ? { sort: source.sort } : {}) }, signal);
  }
  if (source.kind === 'ids') return api.similarTo(source.ids, { offset, n }, signal);
  return api.similarToPicture(source.picture.file, { offset, n }, signal);
}

const learnedNow = (): number | null => live.now?.library?.learned ?? null; // null: the library is not open yet

export class List {
  readonly source: Source;
  readonly key: string;
  readonly rows = new Rows({ width: 0, height: 1, gap: 0, caption: 0, rowGap: 0 });
  readonly results: Results<Hit>;
  version = $state(0); // grows with everything that comes
  active = $state(0); // the tile that has the tab stop
  anchor: Anchor | null = null; // where the reader was
  /** How a change of rows is carried out; the grid that shows the list keeps what is seen in its place. */
  carryOut: (change: () => void) => void = (change) => change();
  #learned = learnedNow(); // in the library when this was asked; null until that can be known

  constructor(source: Source) {
    this.source = source;
    this.key = keyOf(source);
    this.results = new Results((offset, n, signal) => ask(source, offset, n, signal), (first, end) => this.#take(first, end));
    this.rows.resize(EXPECTED);
    this.results.need(0, 1);
  }

  at(item: number): Hit | undefined {
    void this.version;
    return this.results.at(item);
  }

  get total(): number | null {
    void this.version;
    return this.results.total;
  }

  /** Asks again for what did not arrive. */
  retry(): void {
    if (this.results.total === null) this.carryOut(() => this.rows.resize(EXPECTED));
    this.results.retry();
    this.version++;
  }

  /** Ordered by likeness. */
  get byScore(): boolean {
    if (this.source.kind !== 'search') return true;
    return this.source.q !== '' && (this.source.sort ?? 'score') === 'score';
  }

  /** How many photographs were learned since. */
  get more(): number {
    const now = learnedNow();
    if (this.total === null || now === null) return 0;
    this.#learned ??= this.total === 0 ? 0 : now; // a library that was opened by this very question
    return Math.max(0, now - this.#learned);
  }

  /** Where a photograph is among what was fetched; -1: it is not. `hint` is looked at first. */
  find(id: number, hint: number): number {
    void this.version;
    if (this.results.at(hint)?.id === id) return hint;
    for (let item = 0; item < this.results.shown; item++) if (this.results.at(item)?.id === id) return item;
    return -1;
  }

  #take(first: number, end: number): void {
    this.carryOut(() => {
      if (this.results.total !== null || this.results.failed) this.rows.resize(this.results.shown);
      const ratios: number[] = [];
      for (let item = first; item < end; item++) {
        const hit = this.results.at(item);
        ratios.push(hit && hit.width > 0 && hit.height > 0 ? hit.width / hit.height : 0);
      }
      this.rows.setRatios(first, ratios);
      this.active = Math.max(0, Math.min(this.active, this.results.shown - 1));
      this.version++;
    });
    lists.arrived(this);
  }
}

class Lists {
  shown = $state.raw<List | null>(null);
  coming = $state.raw<List | null>(null); // asked for, while the one before is still seen
  #kept = new Map<string, List>();

  /** Shows a list: one that was seen before at once and as it was, another one as soon as it has something to show. */
  show(source: Source | null): void {
    if (!source) {
      this.#drop();
      this.shown = null;
      return;
    }
    const key = keyOf(source);
    if ((this.coming ?? this.shown)?.key === key) return;
    this.#drop();
    const kept = this.#kept.get(key);
    if (kept && kept.results.total !== null) this.#present(kept);
    else this.#begin(new List(source));
  }

  /** Asks the same again, of a library that has learned more. */
  refresh(): void {
    const old = this.shown;
    if (!old) return;
    this.#drop();
    const list = new List(old.source);
    list.active = old.active;
    list.anchor = old.anchor;
    this.coming = list;
  }

  arrived(list: List): void {
    if (list === this.coming) this.#present(list);
  }

  #begin(list: List): void {
    if (this.shown && this.shown.results.total !== null && this.shown.source.kind === list.source.kind) this.coming = list;
    else this.#present(list);
  }

  #drop(): void {
    this.coming?.results.close();
    this.coming = null;
  }

  #present(list: List): void {
    this.coming = null;
    if (this.shown?.results.total === null) this.#forget(this.shown);
    this.#kept.delete(list.key);
    this.#kept.set(list.key, list);
    this.shown = list;
    for (const [, old] of this.#kept) if (this.#kept.size > KEPT) this.#forget(old);
  }

  #forget(list: List): void {
    list.results.close();
    if (this.#kept.get(list.key) === list) this.#kept.delete(list.key);
  }
}

export const lists = new Lists();
