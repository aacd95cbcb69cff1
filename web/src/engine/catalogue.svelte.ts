// The list of models: asked for while it is looked at, and whenever the snapshot says that something about it changed.

import { isAbort, sentenceOf } from '../api.ts';
import { live } from '../snapshot.svelte.ts';
import type { Hub, ModelEntry, Settings, Snapshot } from '../types.ts';
import { catalogue, settings } from './ask.ts';
import { fingerprint } from './rows.ts';

const EVERY_MS = 5000; // the program's memory is not in the snapshot

class Models {
  list = $state.raw<ModelEntry[] | null>(null); // null: not known yet
  hub = $state.raw<Hub | null>(null);
  memory = $state<number | null>(null);
  resting = $state<number | null>(null);
  settings = $state.raw<Settings | null>(null);
  fault = $state<string | null>(null); // why there is no list

  async look(signal?: AbortSignal): Promise<void> {
    try {
      const now = await catalogue(signal);
      this.list = now.models;
      this.hub = now.hub;
      this.memory = now.memory_bytes;
      this.resting = now.resting_bytes;
      this.fault = null;
    } catch (error) {
      if (!isAbort(error) && this.list === null) this.fault = sentenceOf(error);
    }
  }

  async lookAtSettings(signal?: AbortSignal): Promise<void> {
    try {
      this.settings = await settings(signal);
    } catch {
      // What is set is said where it can be; the rest stands without it.
    }
  }

  /** An order whose answer is a snapshot; the list follows. Throws what the program says against it. */
  async order(call: Promise<Snapshot>): Promise<void> {
    live.take(await call);
    await this.look();
  }
}

export const models = new Models();

/** For $effect, in a view that shows the list. */
export function watchModels(): () => void {
  const asking = new AbortController();
  const timer = setInterval(() => {
    if (!document.hidden) void models.look(asking.signal);
  }, EVERY_MS);
  void models.lookAtSettings(asking.signal);
  return () => {
    clearInterval(timer);
    asking.abort();
  };
}

/** Changes with what the list must be asked for again. */
export const modelsMark = (): string => fingerprint(live.now);
