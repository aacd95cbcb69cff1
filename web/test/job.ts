// A job and a snapshot as the server tells them, for tests to change one thing of.

import type { Annotation, Job, LibraryFacts, ModelEntry, Pull, Snapshot } from '../src/types.ts';

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

export const annotation = (change: Partial<Annotation> = {}): Annotation => ({
  running: true, paused: false, phase: 'captions', todo: 3112, done: 120, tagged: 0, captioned: 120, doubtful: 9, failed: 0,
  rate: 2, eta_s: 1200, outcome: null, message: null, ...change,
});

export const pull = (change: Partial<Pull> = {}): Pull => ({
  key: 'openai--clip-vit-base-patch32', repository: 'openai/clip-vit-base-patch32', phase: 'vision', running: true,
  done_bytes: 212e6, total_bytes: 380e6, rate: 11e6, eta_s: 15, vision_ready: false, vision_bytes: null, outcome: null, message: null, ...change,
});

export const model = (change: Partial<ModelEntry> = {}): ModelEntry => ({
  key: 'openai--clip-vit-base-patch32', name: 'CLIP B/32', repository: 'openai/clip-vit-base-patch32', revision: 'abc',
  kind: 'search', built_in: false, complete: true, chosen: false, answering: false, licence: 'MIT', languages: 'English',
  text: 'A good step up.', picture_ms: 12, dial: 3, download_bytes: 605e6, disk_bytes: 605e6, memory_bytes: 0,
  state: 'cold', fraction: null, idle_s: null, load_ms: null, error: null, learned: 0, ...change,
});

export const library = (learned: number): LibraryFacts => ({ dir: '/home/me/.local/share/pixel-detective', files: learned, learned, errors: 0, offline: 0, roots: [] });
