// What the catalogue calls the models that the snapshot names by their keys. Asked for when one is named.

import { ask } from '../api.ts';
import type { Catalogue } from '../types.ts';
import { keyWords } from './indicator.ts';

class Names {
  #known = $state.raw<Record<string, string>>({});
  #asked = false;

  of = (key: string): string => this.#known[key] ?? keyWords(key);

  /** Asks once for what a snapshot names. */
  need(keys: readonly (string | null | undefined)[]): void {
    if (this.#asked || !keys.some((key) => key && !this.#known[key])) return;
    this.#asked = true;
    ask<Catalogue>('/models').then(
      ({ models }) => (this.#known = Object.fromEntries(models.map(({ key, name }) => [key, name]))),
      () => (this.#asked = false),
    );
  }
}

export const names = new Names();
