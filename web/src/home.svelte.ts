// The home folder, so that paths can be written with ~. Asked for once; until it is known paths are written in full.

import { api } from './api.ts';
import { shortPath } from './words.ts';

class Home {
  path = $state<string | null>(null);
  #asked = false;

  learn(path: string | null): void {
    if (path) this.path = path;
  }

  short = (path: string): string => {
    if (!this.#asked && this.path === null) this.#ask();
    return shortPath(path, this.path);
  };

  #ask(): void {
    this.#asked = true;
    api.folders().then(
      (page) => this.learn(page.places.find((place) => place.kind === 'home')?.path ?? null),
      () => (this.#asked = false),
    );
  }
}

export const home = new Home();
