// How the words in the search box are read, while they are typed.

import type { Reading } from '../types.ts';
import { reading } from './ask.ts';
import { type Segment, tint } from './query.ts';

const PAUSE_MS = 40; // shorter than between two letters of a fast typist

export class Reader {
  text = $state(''); // that was read
  read = $state.raw<Reading | null>(null);
  #asking: AbortController | null = null;
  #wait = 0;

  /** Reads a text; `cursor`: completions are wanted for where it stands. */
  look(text: string, cursor?: number): void {
    clearTimeout(this.#wait);
    this.#wait = window.setTimeout(() => void this.#ask(text, cursor), PAUSE_MS);
  }

  stop(): void {
    clearTimeout(this.#wait);
    this.#asking?.abort();
  }

  segments(typed: string): Segment[] {
    return tint(typed, this.text, this.read?.parts ?? []);
  }

  /** What could stand at the cursor of `typed`; null while that is not known. */
  typing(typed: string): Reading['typing'] {
    return this.text === typed ? (this.read?.typing ?? null) : null;
  }

  async #ask(text: string, cursor?: number): Promise<void> {
    this.#asking?.abort();
    const asking = (this.#asking = new AbortController());
    try {
      const read = await reading(text, cursor, asking.signal);
      if (asking.signal.aborted) return;
      this.text = text;
      this.read = read;
    } catch {
      // Words without their colours are still words.
    }
  }
}
