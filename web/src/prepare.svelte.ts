// The page's own heavier half: explore/ is a chunk that is fetched while the user looks at the first screen. This is the
// phase 'Page' of the loading screen, and it is what it says: the state of that fetch.

import type { Component } from 'svelte';

type State = 'waiting' | 'working' | 'ready' | 'failed';

class PagePreparation {
  state = $state<State>('waiting');
  ms = $state<number | null>(null);
  Explore = $state.raw<Component | null>(null);
  #running: Promise<void> | null = null;

  /** Fetches it once; after a failure again. */
  start(): Promise<void> {
    this.#running ??= this.#load().finally(() => (this.#running = null));
    return this.#running;
  }

  async #load(): Promise<void> {
    if (this.state === 'ready') return;
    const began = performance.now();
    this.state = 'working';
    try {
      this.Explore = (await import('./explore/Explore.svelte')).default;
      this.ms = performance.now() - began;
      this.state = 'ready';
    } catch {
      this.state = 'failed';
    }
  }

  /** Not before the first screen is painted and usable. */
  startWhenIdle(): void {
    const idle = globalThis.requestIdleCallback ?? ((call: () => void) => setTimeout(call, 200));
    requestAnimationFrame(() => idle(() => void this.start()));
  }
}

export const page = new PagePreparation();
