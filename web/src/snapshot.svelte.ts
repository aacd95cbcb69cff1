// The one store of what the program says about itself, the same in every tab. Read `live.now` anywhere.

import { api, ApiError } from './api.ts';
import type { ToWorker } from './events.worker.ts';
import { mergeLog } from './log.ts';
import { browser } from './outside.ts';
import { Stream, type StreamNews } from './stream.ts';
import type { LogLine, Snapshot } from './types.ts';

/** 'opening': nothing heard yet. 'locked': this address came without its key. */
export type Connection = 'opening' | 'connected' | 'lost' | 'locked';

class Live {
  now = $state.raw<Snapshot | null>(null);
  log = $state.raw<LogLine[]>([]);
  connection = $state<Connection>('opening');
  retryAt = $state(0); // ms since the epoch; 0: trying at this moment
  newerVersion = $state(false); // the program was replaced while this page was open

  #retry: () => void = () => {};
  #stop: () => void = () => {};
  #again: () => void = () => {};

  /** Begins to listen. The first snapshot is asked for at once, beside the worker's start. */
  start(): void {
    void this.#first();
    this.#connect();
    addEventListener('pagehide', () => this.#stop());
    addEventListener('pageshow', (event) => event.persisted && this.#again());
    addEventListener('online', () => this.retryNow());
    document.addEventListener('visibilitychange', () => {
      if (!document.hidden && this.connection === 'lost') this.retryNow();
    });
  }

  retryNow(): void {
    if (this.connection === 'lost' || this.connection === 'locked') this.#retry();
  }

  /** An answer that is a snapshot (of a POST, say) counts like one that came by itself. */
  take(snapshot: Snapshot): void {
    const before = this.now;
    const sameServer = before?.started === snapshot.started;
    this.log = mergeLog(sameServer ? this.log : [], snapshot.log);
    this.connection = 'connected';
    if (sameServer && snapshot.seq <= before.seq) return;
    if (before && before.version !== snapshot.version) this.newerVersion = true;
    this.now = snapshot;
  }

  async #first(): Promise<void> {
    try {
      this.take(await api.snapshot());
    } catch (error) {
      if (this.now) return;
      if (error instanceof ApiError && error.code === 401) this.connection = 'locked';
      else this.connection = 'lost';
    }
  }

  #hear(news: StreamNews): void {
    if (news.kind === 'snapshot') {
      this.take(news.snapshot);
    } else if (news.kind === 'locked') {
      this.connection = 'locked';
    } else if (this.connection !== 'locked') {
      // A stream that broke is asked why first; only when that fails, too, is anybody told.
      if (news.kind === 'lost') this.connection = 'lost';
      this.retryAt = news.kind === 'lost' ? Date.now() + news.retryInMs : 0;
    }
  }

  #connect(): void {
    if (typeof SharedWorker === 'undefined') return this.#alone();
    let worker: SharedWorker;
    try {
      worker = new SharedWorker(new URL('./events.worker.ts', import.meta.url), { type: 'module', name: 'events' });
    } catch {
      return this.#alone();
    }
    const { port } = worker;
    const say = (message: ToWorker): void => port.postMessage(message);
    worker.onerror = () => {
      if (!heard) this.#alone();
    };
    let heard = false;
    port.onmessage = (event: MessageEvent<StreamNews>) => {
      heard = true;
      this.#hear(event.data);
    };
    this.#retry = () => say('retry');
    this.#stop = () => say('bye');
    this.#again = () => say('hello');
    say('hello');
  }

  #alone(): void {
    const stream = new Stream(browser, (news) => this.#hear(news));
    this.#retry = () => stream.retryNow();
    this.#stop = () => stream.stop();
    this.#again = () => stream.start();
    stream.start();
  }
}

export const live = new Live();
