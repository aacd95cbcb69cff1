// The lists of photographs that were asked for: what is fetched of them, how they are laid out, where the reader is, what
// is selected.

import { ApiError } from '../api.ts';
import { live } from '../snapshot.svelte.ts';
import type { Hit, Hits, Part, Sort } from '../types.ts';
import { type Examples, question, questionByPicture, questionLike, windowOf } from './ask.ts';
import type { Picture } from './pictures.svelte.ts';
import { Results } from './results.ts';
import { Rows } from './rows.ts';
import { Selection } from './selection.ts';
import type { Anchor } from './window.ts';

export type Source =
  | { kind: 'search'; q: string; sort: Sort | null }
  | ({ kind: 'like'; q: string } & Examples)
  | { kind: 'picture'; q: string; picture: Picture };

const KEPT = 8; // lists in memory, for the back button
const EXPECTED = 30; // tiles that stand in for results until their number is known
export const CUT_ROOM = 44; // px, for the words of the line between strong and weaker

export function keyOf(source: Source): string {
  if (source.kind === 'search') return `search ${source.sort ?? ''} ${source.q}`;
  return source.kind === 'like' ? `like ${source.ids.join()} ${source.paths.join('\n')} ${source.q}` : `picture ${source.picture.key} ${source.q}`;
}

function ask(source: Source, offset: number, n: number, signal: AbortSignal, result: number | null): Promise<Hits> {
  if (result !== null) return windowOf(result, { offset, n }, signal);
  if (source.kind === 'search') return question(source.q, { offset, n, ...(source.sort ? { sort: source.sort } : {}) }, signal);
  if (source.kind === 'like') return questionLike(source, source.q, { offset, n }, signal);
  return questionByPicture(source.picture.file, source.q, { offset, n }, signal);
}

const learnedNow = (): number | null => live.now?.library?.learned ?? null; // null: the library is not open yet

export class List {
  readonly source: Source;
  readonly key: string;
  readonly rows = new Rows({ width: 0, height: 1, gap: 0, caption: 0, rowGap: 0 });
  readonly results: Results<Hit, Hits>;
  version = $state(0); // grows with everything that comes
  active = $state(0); // the tile that has the tab stop
  picking = $state(0); // grows with every change of the selection
  anchor: Anchor | null = null; // where the reader was
  stale = false; // the user changed photographs since
  /** How a change of rows is carried out; the grid that shows the list keeps what is seen in its place. */
  carryOut: (change: () => void) => void = (change) => change();
  #learned = learnedNow(); // in the library when this was asked; null until that can be known
  #selection = new Selection();
  #generation = 0; // of the results that the selection is of

  constructor(source: Source) {
    this.source = source;
    this.key = keyOf(source);
    this.results = new Results({
      fetch: (offset, n, signal, result) => ask(source, offset, n, signal, result),
      changed: (first, end) => this.#take(first, end),
      gone: (error) => error instanceof ApiError && error.code === 404,
    });
    this.rows.resize(EXPECTED);
    this.results.need(0, 1);
  }

  at(item: number): Hit | undefined {
    void this.version;
    return this.results.at(item);
  }

  /** Removed from the library since it was found. */
  isGone(item: number): boolean {
    void this.version;
    return this.results.stateOf(item) === 'ready' && this.results.at(item) === undefined;
  }

  get total(): number | null {
    void this.version;
    return this.results.total;
  }

  /** The first so many are strong matches; null: there is no line. */
  get strong(): number | null {
    void this.version;
    return this.byScore ? (this.results.answer?.strong ?? null) : null;
  }

  /** How the query was read. */
  get parts(): Part[] {
    void this.version;
    return this.results.answer?.parts ?? [];
  }

  get message(): string | null {
    void this.version;
    return this.results.answer?.message ?? null;
  }

  /** The order it is in. */
  get sort(): Sort {
    void this.version;
    const asked = this.source.kind === 'search' ? this.source.sort : null;
    return this.results.answer?.sort ?? asked ?? (this.source.kind === 'search' && this.source.q === '' ? '-date' : 'score');
  }

  get selection(): Selection {
    void this.picking;
    return this.#selection;
  }

  /** Changes what is selected. */
  pick(change: (selection: Selection) => void): void {
    change(this.#selection);
    this.picking++;
  }

  /** Asks again for what did not arrive. */
  retry(): void {
    if (this.results.total === null) this.carryOut(() => this.rows.resize(EXPECTED));
    this.results.retry();
    this.version++;
  }

  /** Ordered by likeness. */
  get byScore(): boolean {
    return this.sort === 'score';
  }

  /** How many photographs were learned since. */
  get more(): number {
    const now = learnedNow();
    if (this.total === null || now === null) return 0;
    this.#learned ??= this.total === 0 ? 0 : now; // a library that was opened by this very question
    return Math.max(0, now - this.#learned);
  }

  /** Where a photograph is among what is in memory; -1: it is not. `hint` is looked at first. */
  find(id: number, hint: number): number {
    void this.version;
    return this.results.at(hint)?.id === id ? hint : this.results.find((hit) => hit.id === id);
  }

  #take(first: number, end: number): void {
    if (this.results.generation !== this.#generation) {
      this.#generation = this.results.generation;
      if (this.#selection.count > 0) this.pick((selection) => selection.clear()); // places mean other photographs now
    }
    this.carryOut(() => {
      const { strong } = this;
      this.rows.setCut(strong === null || strong >= this.results.shown ? null : { item: strong, room: CUT_ROOM });
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

  /** Photographs were changed by the user: what is shown of them is asked for once more. */
  renew(): void {
    for (const list of this.#kept.values()) list.stale = true;
    if (this.shown) this.#refreshed(this.shown);
  }

  arrived(list: List): void {
    if (list === this.coming) this.#present(list);
  }

  #refreshed(list: List): void {
    if (!list.stale) return;
    list.stale = false;
    list.results.renew();
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
    this.#refreshed(list);
    for (const [, old] of this.#kept) if (this.#kept.size > KEPT) this.#forget(old);
  }

  #forget(list: List): void {
    list.results.close();
    if (this.#kept.get(list.key) === list) this.#kept.delete(list.key);
  }
}

export const lists = new Lists();
