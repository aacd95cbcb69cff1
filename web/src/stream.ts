// One connection to the server's events, which comes back by itself. Runs in the shared worker, or in the page where there
// is none. It knows nothing of either: what it needs of the outside comes in as `Outside`, so tests drive it by hand.

import type { Snapshot } from './types.ts';

export type StreamNews =
  | { kind: 'snapshot'; snapshot: Snapshot }
  | { kind: 'lost'; retryInMs: number } // not connected; tried again after that
  | { kind: 'trying' }
  | { kind: 'locked' }; // the server does not know us: the address needs its key

export interface Outside {
  /** Events after `after` (undefined: from now); the returned function closes. */
  listen(after: number | undefined, heard: (text: string) => void, broke: () => void): () => void;
  /** The status of GET snapshot (401, 200 ...) and its body; 0: no answer. */
  knock(): Promise<{ code: number; text: string }>;
  later(ms: number, call: () => void): void;
}

const FIRST_WAIT_MS = 1000;
const LONGEST_WAIT_MS = 15_000;

/** 1, 2, 4, 8, 15, 15 ... seconds. */
export const waitMs = (failures: number): number => Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** Math.max(0, failures - 1));

export class Stream {
  #outside: Outside;
  #tell: (news: StreamNews) => void;
  #close: (() => void) | null = null;
  #failures = 0;
  #turn = 0; // a wait that was overtaken finds another number here
  #seq: number | undefined;
  #started = '';

  constructor(outside: Outside, tell: (news: StreamNews) => void) {
    this.#outside = outside;
    this.#tell = tell;
  }

  start(): void {
    this.#turn++;
    this.#close?.();
    this.#close = this.#outside.listen(
      this.#seq,
      (text) => this.#take(text),
      () => void this.#ask(++this.#turn),
    );
  }

  /** The user does not want to wait, or the machine woke up. */
  retryNow(): void {
    void this.#ask(++this.#turn);
  }

  stop(): void {
    this.#turn++;
    this.#close?.();
    this.#close = null;
  }

  #take(text: string): void {
    let snapshot: Snapshot;
    try {
      snapshot = JSON.parse(text) as Snapshot;
    } catch {
      return; // half an event: the next one is whole
    }
    this.#failures = 0;
    this.#seq = snapshot.seq;
    this.#started = snapshot.started;
    this.#tell({ kind: 'snapshot', snapshot });
  }

  // An EventSource does not say why it broke, so a plain request asks.
  async #ask(turn: number): Promise<void> {
    this.#close?.();
    this.#close = null;
    this.#tell({ kind: 'trying' });
    const { code, text } = await this.#outside.knock();
    if (turn !== this.#turn) return;
    if (code === 200) {
      let now: Snapshot | null = null;
      try {
        now = JSON.parse(text) as Snapshot;
      } catch {
        // Something else answered; listening will tell.
      }
      // A server that was started anew counts from one again: what we have seen says nothing to it.
      if (now && now.started !== this.#started) this.#seq = undefined;
      this.#failures++;
      this.start();
      return;
    }
    if (code === 401) this.#tell({ kind: 'locked' });
    this.#wait();
  }

  #wait(): void {
    const ms = waitMs(++this.#failures);
    const turn = this.#turn;
    this.#tell({ kind: 'lost', retryInMs: ms });
    this.#outside.later(ms, () => {
      if (turn === this.#turn) void this.#ask(++this.#turn);
    });
  }
}
