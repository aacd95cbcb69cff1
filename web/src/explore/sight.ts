// What the reader has before the eyes, told to the program.

import { base } from '../api.ts';
import { live } from '../snapshot.svelte.ts';
import { Looking } from './looking.ts';

const listens = (): boolean => live.now?.annotation?.running === true && !live.now.annotation.paused;

export const sight = new Looking(
  (photos) =>
    void fetch(`${base}/looking`, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ photos }) }).catch(() => undefined), // a hint
  listens,
);
