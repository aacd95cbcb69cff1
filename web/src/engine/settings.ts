// Settings in words.

import type { ModelEntry } from '../types.ts';
import { bytes, count, duration, plural } from '../words.ts';
import { pictureWords } from './rows.ts';

/** What the slider of the idle time offers, seconds; the last is never. */
export const IDLE_S: readonly number[] = [30, 60, 120, 300, 600, 1800, 3600, -1];

/** Nearest place on the slider. */
export function idlePlace(idle_s: number): number {
  if (idle_s < 0) return IDLE_S.length - 1;
  let best = 0;
  for (let i = 1; i < IDLE_S.length - 1; i++) if (Math.abs(Math.log(IDLE_S[i]! / Math.max(1, idle_s))) < Math.abs(Math.log(IDLE_S[best]! / Math.max(1, idle_s)))) best = i;
  return best;
}

/** 'after 5 min', 'never' */
export const idleWords = (idle_s: number): string => (idle_s < 0 ? 'never' : idle_s === 3600 ? '1 h' : duration(idle_s));

/** What is given back, and what it costs. */
export function idleNote(models: readonly ModelEntry[]): string {
  const held = models.reduce((sum, { memory_bytes }) => sum + (memory_bytes ?? 0), 0);
  const load = models.find(({ kind, answering }) => kind === 'search' && answering)?.load_ms ?? 0;
  const said = [held > 0 ? `Gives back ${bytes(held)}.` : 'Gives its memory back.'];
  if (load > 0) said.push(`Loading it again takes ${load < 1000 ? `${Math.max(1, Math.round(load))} ms` : duration(load / 1000)}.`);
  return said.join(' ');
}

/** What writing captions costs. `waiting`: photos without one, null: not known yet. */
export function captionsNote(captioner: ModelEntry | null, waiting: number | null, threads: number, rate: number | null = null): string {
  const each = rate ? (1000 * Math.max(1, threads)) / rate : (captioner?.picture_ms ?? 0); // of one core; what is measured now says it best
  const said = ['A sentence for each photo, in the background, after learning.'];
  if (captioner && !captioner.complete) return `${said[0]} ${captioner.name} is not here yet.`;
  if (waiting === 0) said.push('Every photo has one.');
  else if (waiting !== null && each > 0) said.push(`${plural(waiting, 'photo')} ${waiting === 1 ? 'waits' : 'wait'}: about ${duration((waiting * each) / 1000 / Math.max(1, threads))}.`);
  else if (waiting !== null) said.push(`${plural(waiting, 'photo')} ${waiting === 1 ? 'waits' : 'wait'}.`);
  else if (each > 0) said.push(`About ${pictureWords(each)} each.`);
  return said.join(' ');
}

export const threadsWords = (threads: number, max: number): string => (threads >= max ? `all ${count(max)}` : `${count(threads)} of ${count(max)}`);
