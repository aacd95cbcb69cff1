// A list of results that is fetched in windows of PAGE_SIZE, where and when it is looked at. The first window asks the
// question; the others are windows of the result it was answered with, so that they belong together however much is
// learned meanwhile. A result that the program does not keep any more is asked for again.

export const PAGE_SIZE = 100;
export const PAGES_KEPT = 60; // windows in memory; those farthest from what is looked at are let go

export interface Page<Hit> {
  total: number;
  took_ms: number;
  offset: number;
  hits: Hit[];
  result?: number | null; // null, 0: not kept, so every window is a question of its own
}

/** `result`: a window of that result; null: the question itself. */
export type Fetch<Hit, P extends Page<Hit>> = (offset: number, n: number, signal: AbortSignal, result: number | null) => Promise<P>;

type State = 'loading' | 'ready' | 'failed';

interface Slot<Hit> {
  state: State;
  hits: Hit[];
  abort: AbortController;
}

export interface Ways<Hit, P extends Page<Hit>> {
  fetch: Fetch<Hit, P>;
  /** After every change, with the window [first, end) that came or failed. */
  changed: (first: number, end: number) => void;
  /** Whether an error says that the result is not kept any more. */
  gone?: (error: unknown) => boolean;
}

/**
 * One query's results. `need` says which ones are looked at: windows that are missing are asked for once, windows that
 * are still under way and no longer looked at are given up, those that failed are asked for again only by `retry`.
 */
export class Results<Hit, P extends Page<Hit> = Page<Hit>> {
  total: number | null = null; // null: not known yet
  answer: P | null = null; // to the question
  result: number | null = null; // its number, where the program keeps it
  generation = 0; // grows when the question was asked again: places mean other photographs
  drifted = false; // the library changed between two windows
  error: unknown = null; // of the last window that failed
  #ways: Ways<Hit, P>;
  #slots = new Map<number, Slot<Hit>>();
  #asking: Promise<unknown> | null = null; // the question, under way: the other windows wait for its result
  #closed = false;
  #from = 0; // windows that are looked at
  #to = 0;

  constructor(ways: Ways<Hit, P>) {
    this.#ways = ways;
  }

  /** How many can be looked at. */
  get shown(): number {
    return this.total ?? 0;
  }

  get failed(): boolean {
    return this.#some('failed');
  }

  get loading(): boolean {
    return this.#some('loading');
  }

  at(item: number): Hit | undefined {
    return this.#slots.get(Math.floor(item / PAGE_SIZE))?.hits[item % PAGE_SIZE];
  }

  /** The place of the first result in memory that is as wanted; -1: none is. */
  find(wanted: (hit: Hit) => boolean): number {
    for (const [page, slot] of this.#slots) {
      const at = slot.hits.findIndex(wanted);
      if (at >= 0) return page * PAGE_SIZE + at;
    }
    return -1;
  }

  /** What became of the window that an item is in; undefined: never asked for, or given up. */
  stateOf(item: number): State | undefined {
    return this.#slots.get(Math.floor(item / PAGE_SIZE))?.state;
  }

  /** How many windows are in memory. */
  get kept(): number {
    return this.#slots.size;
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
    [this.#from, this.#to] = [from, to];
    this.#letGo(from, to);
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

  /** What is known of the photographs changed, not which they are: what is looked at is asked for once more, and stays until that has come. */
  renew(): void {
    for (const [page, slot] of [...this.#slots]) {
      if (slot.state !== 'ready') continue;
      if (page >= this.#from && page <= this.#to) void this.#load(page, slot.hits);
      else if (page !== 0) this.#slots.delete(page);
    }
  }

  /** Superseded: nothing is asked for any more, and what is under way is given up. */
  close(): void {
    this.#closed = true;
    for (const [page, slot] of this.#slots) if (slot.state === 'loading') this.#giveUp(page, slot);
  }

  #some(state: State): boolean {
    for (const slot of this.#slots.values()) if (slot.state === state) return true;
    return false;
  }

  #giveUp(page: number, slot: Slot<Hit>): void {
    this.#slots.delete(page);
    slot.abort.abort();
  }

  /** The first window stays: the best score is in it. */
  #letGo(from: number, to: number): void {
    if (this.#slots.size <= PAGES_KEPT) return;
    const middle = (from + to) / 2;
    const far = [...this.#slots.keys()].filter((page) => page !== 0 && (page < from || page > to)).sort((a, b) => Math.abs(b - middle) - Math.abs(a - middle));
    for (const page of far.slice(0, this.#slots.size - PAGES_KEPT)) this.#slots.delete(page);
  }

  async #load(page: number, meanwhile: Hit[] = []): Promise<void> {
    const first = page * PAGE_SIZE;
    const slot: Slot<Hit> = { state: 'loading', hits: meanwhile, abort: new AbortController() };
    this.#slots.set(page, slot);
    try {
      const answer = await this.#window(slot, first);
      if (this.#slots.get(page) !== slot) return;
      slot.hits = answer.hits;
      slot.state = 'ready';
      if (this.total !== answer.total) this.drifted = true;
    } catch (error) {
      if (this.#slots.get(page) !== slot) return; // given up
      slot.state = 'failed';
      this.error = error;
    }
    this.#changed(first, first + slot.hits.length);
  }

  #changed(first: number, end: number): void {
    if (!this.#closed) this.#ways.changed(first, end);
  }

  async #window(slot: Slot<Hit>, first: number): Promise<P> {
    const { signal } = slot.abort;
    for (;;) {
      while (this.#asking) await this.#asking;
      signal.throwIfAborted();
      const { result } = this;
      if (result === null) return this.#ask(slot, first);
      try {
        return await this.#ways.fetch(first, PAGE_SIZE, signal, result);
      } catch (error) {
        if (!this.#ways.gone?.(error)) throw error;
        if (this.result === result) this.result = null; // the first to notice
      }
    }
  }

  async #ask(slot: Slot<Hit>, first: number): Promise<P> {
    const asking = this.#ways.fetch(first, PAGE_SIZE, slot.abort.signal, null);
    const settled = asking.then(
      () => undefined,
      () => undefined,
    );
    this.#asking = settled;
    try {
      const answer = await asking;
      this.#take(answer, slot);
      return answer;
    } finally {
      if (this.#asking === settled) this.#asking = null;
    }
  }

  #take(answer: P, by: Slot<Hit>): void {
    const kept = answer.result || null;
    if (this.total === null) {
      this.total = answer.total;
      this.answer = answer;
    } else if (kept !== null) {
      // Another result: what is in memory is of the one before.
      this.total = answer.total;
      this.answer = answer;
      this.generation++;
      for (const [page, slot] of this.#slots) if (slot !== by && slot.state === 'ready') this.#slots.delete(page);
    }
    this.result = kept;
  }
}
