// One short line about what is still being got ready.

import type { Snapshot } from '../types.ts';

export interface Readiness {
  dot: 'ready' | 'loading' | 'cold' | 'offline';
  text: string | null; // null: all is ready
}

const working: Record<string, string> = { catalogue: 'Opening the library', model: 'Getting the model ready' };
const broken: Record<string, string> = { catalogue: 'The library cannot be opened', model: 'The model cannot be used' };

export function readinessOf(now: Snapshot | null, page: string, connection: string): Readiness {
  if (connection === 'lost') return { dot: 'offline', text: 'Not connected' };
  if (!now) return { dot: 'cold', text: 'Waking up' };
  const failed = now.preparation.find((one) => one.state === 'failed');
  if (failed) return { dot: 'offline', text: broken[failed.name] ?? failed.message ?? 'Something is missing' };
  if (now.model.state === 'missing') return { dot: 'offline', text: 'The model is missing' };
  const busy = now.preparation.find((one) => one.state === 'working') ?? now.preparation.find((one) => one.state === 'waiting');
  if (busy) return { dot: 'loading', text: working[busy.name] ?? 'Getting ready' };
  if (page === 'working') return { dot: 'loading', text: 'Getting the page ready' };
  if (page === 'failed') return { dot: 'offline', text: 'Part of the page did not arrive' };
  return { dot: 'ready', text: null };
}
