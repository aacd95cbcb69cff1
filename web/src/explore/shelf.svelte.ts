// What was searched before, and the searches that were given a name: kept by the program, the same in every tab.

import { changePast, past, saved } from './ask.ts';
import type { Past, Saved } from '../types.ts';

const OFFERED = 8;

class Shelf {
  saved = $state.raw<Saved[]>([]);
  past = $state.raw<Past[]>([]);
  #asked = false;

  /** Looks once; `again`: something changed. */
  look(again = false): void {
    if (this.#asked && !again) return;
    this.#asked = true;
    void Promise.all([saved(), past()]).then(
      ([named, before]) => {
        this.saved = named;
        this.past = before;
      },
      () => (this.#asked = false), // an extra: the box works without it
    );
  }

  /** A query that was looked at, not every letter of it. */
  async note(query: string): Promise<void> {
    const asked = query.trim();
    if (asked === '' || this.past[0]?.query === asked) return;
    this.past = [{ query: asked, at: new Date().toISOString() }, ...this.past.filter((one) => one.query !== asked)];
    await changePast({ add: asked }).catch(() => undefined);
  }

  async forget(): Promise<void> {
    this.past = [];
    await changePast({ clear: true }).catch(() => undefined);
  }

  /** What is offered under an empty box. */
  get offered(): { query: string; name: string | null }[] {
    const named = this.saved.slice(0, OFFERED).map(({ name, query }) => ({ query, name }));
    return [...named, ...this.past.slice(0, OFFERED).map(({ query }) => ({ query, name: null }))];
  }
}

export const shelf = new Shelf();
