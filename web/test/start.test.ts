import assert from 'node:assert/strict';
import { test } from 'node:test';
import { newestOf } from '../src/start/newest.ts';
import { completedText, crumbsOf, fullPath, narrowed, rowByLetters, splitTyped, withoutSlash } from '../src/start/paths.ts';
import { countSentence, lookSentence } from '../src/start/sentences.ts';
import type { Hit, Look, Root } from '../src/types.ts';

const home = '/home/me';

test('Tab completes, keeps ~, and never takes anything away', () => {
  assert.equal(completedText('~/Pic', '/home/me/Pictures/', home), '~/Pictures/');
  assert.equal(completedText('/home/me/Pic', '/home/me/Pictures/', home), '/home/me/Pictures/');
  assert.equal(completedText('~/Pictures/', '/home/me/Pictures/', home), null);
  assert.equal(completedText('~/Pic', null, home), null);
  assert.equal(completedText('~/Pictures/x', '/home/me/Pictures/', home), null);
});

test('a path in full and in parts', () => {
  assert.equal(fullPath('~/a', home), '/home/me/a');
  assert.equal(fullPath('~', home), home);
  assert.equal(fullPath('~other/a', home), '~other/a');
  assert.deepEqual(splitTyped('/home/me/Pic'), { folder: '/home/me', begins: 'Pic' });
  assert.deepEqual(splitTyped('/usr'), { folder: '/', begins: 'usr' });
  assert.equal(splitTyped('Pictures'), null);
  assert.deepEqual(['/a//', '/', ''].map(withoutSlash), ['/a', '/', '']);
});

test('crumbs begin at home, or at the root', () => {
  assert.deepEqual(crumbsOf('/home/me/Pictures/2004', home).map(({ name }) => name), ['Home', 'Pictures', '2004']);
  assert.deepEqual(crumbsOf('/home/me', home), [{ name: 'Home', path: home }]);
  assert.deepEqual(crumbsOf('/home/mean', home).map(({ path }) => path), ['/', '/home', '/home/mean']);
  assert.deepEqual(crumbsOf('/', null), [{ name: 'Computer', path: '/' }]);
});

test('the list narrows to what is typed, and a typo leaves all', () => {
  const folders = ['Phone', 'Photos', 'Scans'].map((name) => ({ name }));
  assert.deepEqual(narrowed(folders, 'ph').map(({ name }) => name), ['Phone', 'Photos']);
  assert.equal(narrowed(folders, 'xy').length, 3);
  assert.equal(narrowed(folders, '').length, 3);
});

test('a letter jumps, goes round, and stays when there is none', () => {
  const names = ['Alpha', 'Beta', 'bronze', 'Gamma'];
  assert.equal(rowByLetters(names, 'b', 0), 1);
  assert.equal(rowByLetters(names, 'b', 2), 2);
  assert.equal(rowByLetters(names, 'a', 2), 0);
  assert.equal(rowByLetters(names, 'z', 0), -1);
  assert.equal(rowByLetters([], 'a', 0), -1);
});

test('what is wrong is said by the program, in our words only when it says nothing', () => {
  const look = (kind: Look['kind'], message: string | null = null): Look => ({ path: '/x', kind, message, suggestion: null, completion: null });
  assert.equal(lookSentence(look('folder', 'x')), null);
  assert.equal(lookSentence(look('missing', 'No such folder here.')), 'No such folder here.');
  assert.equal(lookSentence(look('unreadable')), 'This folder cannot be read. Change its permissions or choose another one.');
});

test('a count that goes on says so', () => {
  assert.deepEqual(countSentence({ pictures: 31877, folders: 412, files: 40000, complete: false }), { number: '31,877', rest: 'pictures so far in 412 folders, still counting' });
  assert.deepEqual(countSentence({ pictures: 1, folders: 0, files: 1, complete: true }), { number: '1', rest: 'picture' });
  assert.equal(countSentence({ pictures: 0, folders: 2, files: 214, complete: true })?.rest, 'There are no pictures in this folder. It has 214 files of other kinds.');
  assert.equal(countSentence({ pictures: 0, folders: 0, files: 0, complete: true })?.rest, 'There are no pictures in this folder. It is empty.');
});

test('a card shows photographs of its own folder', () => {
  const root = (path: string): Root => ({ path, photos: 1, offline: false });
  const hit = (id: number, path: string): Hit => ({ id, path, score: null, match: null, taken: null, width: 1, height: 1 });
  const roots = [root('/p'), root('/p/garden'), root('/q')];
  const hits = [hit(1, '/p/a.jpg'), hit(2, '/p/garden/b.jpg'), hit(3, '/q/c.jpg'), hit(4, '/p2/d.jpg'), hit(5, '/p/e.jpg')];
  const ids = (path: string, n = 4): number[] => newestOf(hits, path, roots, n).map(({ id }) => id);
  assert.deepEqual(ids('/p'), [1, 5]);
  assert.deepEqual(ids('/p/garden'), [2]);
  assert.deepEqual(ids('/p', 1), [1]);
  assert.equal(newestOf(hits, '/p', [root('/p')], 3).length, 3);
});
