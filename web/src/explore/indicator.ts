// What the model is doing, in a word or two, for the top bar.

import type { Snapshot } from '../types.ts';

export interface Indicator {
  dot: 'ready' | 'loading' | 'cold' | 'idle' | 'offline';
  text: string;
  title: string;
}

const percent = (fraction: number): string => `${Math.min(99, Math.floor(fraction * 100))} %`;

/** 'openai--clip-vit-base-patch32' as 'clip-vit-base-patch32', until the catalogue has told its name. */
export const keyWords = (key: string): string => key.split('--').pop() || key;

/** `name` is what the catalogue calls a key. */
export function indicatorOf(now: Snapshot, name: (key: string) => string = keyWords): Indicator {
  const { model, job, pull } = now;
  const title = `Search model: ${name(model.name)}`;
  if (model.state === 'missing') return { dot: 'offline', text: 'Model missing', title };
  if (model.state === 'failed') return { dot: 'offline', text: 'Model not usable', title };
  if (model.next) {
    const learning = job?.running ? `, ${percent(job.fraction)}` : ' comes next';
    const text = job?.running ? `Learning with ${name(model.next)}${learning}` : `${name(model.next)}${learning}`;
    return { dot: job?.running ? 'loading' : 'cold', text, title: `${title}. It answers until the library is learned with ${name(model.next)}.` };
  }
  if (pull?.running) return { dot: 'loading', text: `Getting ${name(pull.key)}${pull.total_bytes ? `, ${percent(pull.done_bytes / pull.total_bytes)}` : ''}`, title };
  if (model.state === 'loading') return { dot: 'loading', text: `Model loading${model.fraction ? `, ${percent(model.fraction)}` : ''}`, title };
  if (model.state === 'idle') return { dot: 'idle', text: 'Model asleep', title: `${title}. It was put away, and comes back with the next search.` };
  return model.state === 'ready' ? { dot: 'ready', text: 'Model ready', title } : { dot: 'cold', text: 'Model not loaded', title };
}
