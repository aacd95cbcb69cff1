// The log as one list, whatever came in which order and how often.

import type { LogLevel, LogLine } from './types.ts';

export const LOG_LINES_MAX = 1000; // as many as the server keeps

/** `kept` and `added` in order of n, each line once, the last LOG_LINES_MAX. Gives back `kept` itself when nothing is new. */
export function mergeLog(kept: LogLine[], added: readonly LogLine[]): LogLine[] {
  const last = kept.at(-1)?.n ?? 0;
  const known = new Set(kept.map((line) => line.n));
  const fresh = added.filter((line) => !known.has(line.n)).sort((a, b) => a.n - b.n);
  if (!fresh.length) return kept;
  const all = [...kept, ...fresh];
  if ((fresh[0]?.n ?? 0) < last) all.sort((a, b) => a.n - b.n);
  return all.slice(-LOG_LINES_MAX);
}

/** '14:02:11' on the clock of this machine. */
export function clockOf(time: string): string {
  const date = new Date(time);
  return Number.isNaN(date.getTime()) ? '' : date.toTimeString().slice(0, 8);
}

const shortLevels: Record<LogLevel, string> = { info: 'info', warning: 'warn', error: 'error' };
export const levelWord = (level: LogLevel): string => shortLevels[level] ?? level;

export const logText = (lines: readonly LogLine[]): string =>
  lines.map((line) => `${line.time} ${levelWord(line.level)} ${line.text}`).join('\n');
