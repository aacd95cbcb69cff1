import assert from 'node:assert/strict';
import { test } from 'node:test';
import { clockOf, LOG_LINES_MAX, logText, mergeLog } from '../src/log.ts';
import type { LogLine } from '../src/types.ts';

const line = (n: number): LogLine => ({ n, time: '2026-11-25T10:00:02.120Z', level: 'info', text: `line ${n}` });
const lines = (...numbers: number[]): LogLine[] => numbers.map(line);
const numbers = (log: LogLine[]): number[] => log.map(({ n }) => n);

test('each line once, in order, however they come', () => {
  assert.deepEqual(numbers(mergeLog(lines(1, 2), lines(2, 3, 4))), [1, 2, 3, 4]);
  assert.deepEqual(numbers(mergeLog(lines(5, 6), lines(3, 4, 5))), [3, 4, 5, 6]);
  assert.deepEqual(numbers(mergeLog(lines(1, 4), lines(3, 2))), [1, 2, 3, 4]);
  assert.deepEqual(numbers(mergeLog([], lines(2, 1))), [1, 2]);
});

test('nothing new is the same list', () => {
  const kept = lines(1, 2);
  assert.equal(mergeLog(kept, lines(2)), kept);
  assert.equal(mergeLog(kept, []), kept);
});

test('the oldest go when there are too many', () => {
  const many = Array.from({ length: LOG_LINES_MAX }, (_, i) => line(i + 1));
  const log = mergeLog(many, lines(LOG_LINES_MAX + 1));
  assert.equal(log.length, LOG_LINES_MAX);
  assert.equal(log[0]?.n, 2);
});

test('what is copied has time and level, and a bad time is no time', () => {
  assert.equal(logText(lines(1)), '2026-11-25T10:00:02.120Z info line 1');
  assert.equal(clockOf('then'), '');
  assert.match(clockOf('2026-11-25T10:00:02.120Z'), /^\d\d:\d0:02$/);
});
