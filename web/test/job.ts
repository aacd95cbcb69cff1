// A job and a snapshot as the server tells them, for tests to change one thing of.

import type { Job, Snapshot } from '../src/types.ts';

export const job = (change: Partial<Job> = {}): Job => ({
  number: 1, roots: ['/home/me/Pictures'], speed: 'normal', retry_waits: false, seq: 1, phase: 'learn', running: true,
  paused: false, cancelling: false, found: 400, todo: 400, done: 100, learned: 97, unchanged: 0, moved: 0, removed: 0,
  skipped: 2, failed: 3, rate: 50, eta_s: 6, fraction: 0.26, elapsed_s: 3, outcome: null, message: null, newest: [],
  errors: [], ...change,
});

export const snapshot = (change: Partial<Snapshot> = {}): Snapshot => ({
  seq: 1, state: 'FAST_UI', version: '0.1.0', started: '2026-11-25T10:00:00Z', library: null,
  model: { name: 'tiny', state: 'cold', ms: null }, preparation: [], job: null, log: [], error: null, ...change,
});
