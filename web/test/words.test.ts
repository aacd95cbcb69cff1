import assert from 'node:assert/strict';
import { test } from 'node:test';
import { asSentence, bytes, count, day, duration, nameOf, plural, rate, shortPath, took } from '../src/words.ts';

test('numbers are grouped, and one is one', () => {
  assert.equal(count(1048576), '1,048,576');
  assert.deepEqual([0, 1, 2].map((n) => plural(n, 'photo')), ['0 photos', '1 photo', '2 photos']);
  assert.equal(plural(2, 'more folder'), '2 more folders');
});

test('an estimate is as fine as it deserves', () => {
  const words: [number, string][] = [
    [-3, 'less than 1 s'], [0.4, 'less than 1 s'], [3.4, '3 s'], [9.6, '10 s'], [52, '50 s'], [54.9, '55 s'], [57, '1 min'],
    [60, '1 min'], [139, '2 min 20 s'], [299, '5 min'], [300, '5 min'], [839, '14 min'], [3569, '59 min'], [3571, '1 h'], [12_000, '3 h 20 min'],
    [86_399, '24 h'], [200_000, '2 days'],
  ];
  for (const [seconds, text] of words) assert.equal(duration(seconds), text, String(seconds));
});

test('an estimate that falls never grows in words', () => {
  const unit: Record<string, number> = { s: 1, min: 60, h: 3600, day: 86_400, days: 86_400 };
  const value = (text: string): number => [...text.matchAll(/(\d+) (\w+)/g)].reduce((sum, [, n, word]) => sum + Number(n) * unit[word!]!, 0);
  let last = Infinity;
  for (let seconds = 300_000; seconds >= 1; seconds--) {
    const now = value(duration(seconds));
    assert.ok(now <= last, `${duration(seconds)} after ${last} s`);
    last = now;
  }
});

test('what it took is exact', () => {
  assert.deepEqual([0.42, 9.94, 9.96, 59.7, 185, 3600, 3840].map(took), ['0.4 s', '9.9 s', '10 s', '1 min', '3 min 5 s', '1 h', '1 h 4 min']);
});

test('sizes are decimal', () => {
  assert.deepEqual([1, 812, 1500, 999_600, 64e9, 2e12].map(bytes), ['1 byte', '812 bytes', '1.5 kB', '1 MB', '64 GB', '2 TB']);
});

test('a rate has three digits at most that matter', () => {
  assert.deepEqual([0.34, 2, 9.44, 212.4, 1234].map(rate), ['0.3', '2', '9.4', '212', '1,234']);
});

test('the year is said when it is another one', () => {
  const now = new Date(2026, 10, 25);
  assert.equal(day(new Date(2026, 10, 12), now), '12 Nov');
  assert.equal(day(new Date(2019, 5, 1), now), '1 Jun 2019');
});

test('a path in the home folder begins with ~, one beside it does not', () => {
  assert.equal(shortPath('/home/me/Pictures', '/home/me'), '~/Pictures');
  assert.equal(shortPath('/home/me', '/home/me'), '~');
  assert.equal(shortPath('/home/mean/x', '/home/me'), '/home/mean/x');
  assert.equal(shortPath('/a', null), '/a');
  assert.equal(shortPath('/etc', '/'), '/etc');
  assert.deepEqual(['/home/me/Pictures/', '/', 'x'].map(nameOf), ['Pictures', '/', 'x']);
});

test('what the terminal says is a sentence on the page', () => {
  assert.equal(asSentence("there is no folder '/a/b'"), "There is no folder '/a/b'.");
  assert.equal(asSentence('the picture is damaged (cut short)'), 'The picture is damaged (cut short).');
  assert.equal(asSentence('The disk is full.'), 'The disk is full.');
  assert.equal(asSentence('roll-07.tif ends early'), 'roll-07.tif ends early.');
  assert.equal(asSentence(' '), '');
});
