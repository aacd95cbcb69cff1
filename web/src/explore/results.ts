// A list of results that is fetched in windows of PAGE_SIZE, where and when it is looked at.

export const PAGE_SIZE = 100;
export const RESULTS_MAX = 10_000; // what the server answers at most: offset + n (docs/http.md)

export interface Page<Hit> {
  total: number;
  took_ms: number;
  offset: number;
  hits: Hit[];
}

export type Fetch<Hit> = (offset: number, n: number, signal: AbortSignal) => Promise<Page<Hit>>;

type State = 'loading' | 'ready' | 'failed';

interface Slot<Hit> {
  state: State;
  hits: Hit[];
  abort: AbortController;
}

/**
 * One query's results. `need` says which ones are looked at: windows that are missing are asked for once, windows that
 * are still under way and no longer looked at are given up, those that failed are asked for again only by `retry`.
 * `changed` is called after every change, with the window [first, end) that came or failed.
 */
export class Results<Hit> {
  total: number | null = null; // null: not known yet
  tookMs: number | null = null;
  drifted = false; // the library changed between two windows
  error: unknown = null; // of the last window that failed
  #fetch: Fetch<Hit>;
  #changed: (first: number, end: number) => void;
  #slots = new Map<number, Slot<Hit>>();
  #closed = false;

  constructor(fetch: Fetch<Hit>, changed: (first: number, end: number) => void) {
    this.#fetch = fetch;
    this.#changed = changed;
  }

  /** How many can be looked at. */
  get shown(): number {
    return Math.min(this.total ?? 0, RESULTS_MAX);
  }

  get failed(): boolean {
    return [...this.#slots.values()].some((slot) => slot.state === 'failed');
  }

  get loading(): boolean {
    return [...this.#slots.values()].some((slot) => slot.state === 'loading');
  }

  at(item: number): Hit | undefined {
    return this.#slots.get(Math.floor(item / PAGE_SIZE))?.hits[item % PAGE_SIZE];
  }

  /** What became of the window that an item is in; undefined: never asked for, or given up. */
  stateOf(item: number): State | undefined {
    return this.#slots.get(Math.floor(item / PAGE_SIZE))?.state;
  }

  /** The photographs [first, end) are looked at. */
  need(first: number, end: number): void {
    if (this.#closed) return;
    const last = this.total === null ? 0 : Math.max(0, Math.ceil(this.shown / PAGE_SIZE) - 1);
    const from = Math.min(last, Math.floor(Math.max(0, first) / PAGE_SIZE));
    const to = Math.min(last, Math.floor(Math.max(0, end - 1) / PAGE_SIZE));
    for (const [page, slot] of this.#slots) {
      if (slot.state === 'loading' && this.total !== null && (page < from || page > to)) this.#giveUp(page, slot);
    }
    for (let page = from; page <= to; page++) {
      if (!this.#slots.has(page)) void this.#load(page);
    }
  }

  /** Asks again for every window that failed. */
  retry(): void {
    this.error = null;
    for (const [page, slot] of [...this.#slots]) {
      if (slot.state !== 'failed') continue;
      this.#slots.delete(page);
      void this.#load(page);
    }
  }

  /** Superseded: nothing is asked for any more, and what is under way is given up. */
  close(): void {
    this.#closed = true;
    for (const [page, slot] of this.#slots) if (slot.state === 'loading') this.#giveUp(page, slot);
  }

  #giveUp(page: number, slot: Slot<Hit>): void {
    this.#slots.delete(page);
    slot.abort.abort();
  }

  async #load(page: number): Promise<void> {
    const first = page * PAGE_SIZE;
    const slot: Slot<Hit> = { state: 'loading', hits: [], abort: new AbortController() };
    this.#slots.set(page, slot);
    try {
      const answer = await this.#fetch(first, Math.min(PAGE_SIZE, RESULTS_MAX - first), slot.abort.signal);
      if (this.#slots.get(page) !== slot) return;
      slot.hits = answer.hits;
      slot.state = 'ready';
      if (this.total === null) {
        this.total = answer.total;
        this.tookMs = answer.took_ms;
      } else if (this.total !== answer.total) {
        this.drifted = true;
      }
    } catch (error) {
      if (this.#slots.get(page) !== slot) return; // given up
      slot.state = 'failed';
      this.error = error;
    }
    this.#changed(first, first + slot.hits.length);
  }
}
