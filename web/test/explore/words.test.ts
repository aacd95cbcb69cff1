import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as words from '../../src/explore/words.ts';

test('a time taken is said as the camera wrote it', () => {
  assert.deepEqual(words.takenWords('2004-04-25T17:10:03'), { day: '25 Apr', year: '2004', long: 'Sunday 25 April 2004, 17:10' });
  assert.equal(words.takenWords('2019-09-26T08:05:00-07:00')!.long, 'Thursday 26 September 2019, 08:05, UTC−07:00');
  assert.equal(words.takenWords(null), null);
  assert.equal(words.takenWords('2004-13-25T17:10:03'), null);
  assert.equal(words.takenWords('yesterday'), null);
});

test('times and sizes have units', () => {
  assert.equal(words.tookWords(4.26), '4.3 ms');
  assert.equal(words.tookWords(31.4), '31 ms');
  assert.equal(words.tookWords(1240), '1.2 s');
  assert.equal(words.sizeWords(1984, 1488), '1984 × 1488, 3.0 megapixels');
  assert.equal(words.sizeWords(320, 240), '320 × 240');
});

test('exposures are said as photographers say them', () => {
  assert.equal(words.exposureWords(0.00125), '1/800 s');
  assert.equal(words.exposureWords(1 / 8000), '1/8,000 s');
  assert.equal(words.exposureWords(0.5), '0.5 s');
  assert.equal(words.exposureWords(30), '30 s');
});

test('a place has its hemispheres', () => {
  assert.equal(words.placeWords(46.8012, 13.4956, null), '46.8012° N, 13.4956° E');
  assert.equal(words.placeWords(-33.8568, -70.1, 1520.4), '33.8568° S, 70.1000° W, 1,520 m above the sea');
  assert.equal(words.placeWords(0, 0, -3), '0.0000° N, 0.0000° E, 3 m below the sea');
});

test('a cell is called by name, match or score, and date', () => {
  const hit = { path: '/home/me/a b/dog.jpg', score: 0.2966, match: null, taken: '2008-05-08T09:54:00' };
  assert.equal(words.cellWords(hit, null), 'dog.jpg, score 0.30, Thursday 8 May 2008, 09:54');
  assert.equal(words.cellWords({ ...hit, match: 91 }, true), 'dog.jpg, strong match, 91 of 100, Thursday 8 May 2008, 09:54');
  assert.equal(words.cellWords({ ...hit, match: 41 }, false), 'dog.jpg, weaker match, 41 of 100, Thursday 8 May 2008, 09:54');
  assert.equal(words.cellWords({ path: 'dog.jpg', score: null, match: null, taken: null }, null), 'dog.jpg, no date');
  assert.equal(words.matchWords(88, true), '88, a strong match');
  assert.equal(words.matchWords(88, null), '88 of 100');
  assert.equal(words.folderOf('/home/me/dog.jpg'), '/home/me');
  assert.equal(words.folderOf('/dog.jpg'), '/');
});

test('a caption says who says so, and a doubtful one asks', () => {
  assert.equal(words.captionOf({}), null);
  assert.equal(words.captionOf({ caption: null, caption_by: 'user' }), null);
  assert.deepEqual(words.captionOf({ caption: 'a dog runs', caption_by: 'machine' }), { text: 'A dog runs', said: 'Seen by the model: A dog runs', doubtful: false });
  assert.deepEqual(words.captionOf({ caption: 'a dog runs.', caption_by: 'machine', caption_doubtful: true }), { text: 'A dog runs?', said: 'Seen by the model, may be wrong: A dog runs?', doubtful: true });
  assert.deepEqual(words.captionOf({ caption: 'my dog', caption_by: 'user' }), { text: 'my dog', said: 'Said by you: my dog', doubtful: false });
  assert.equal(words.captionOf({ caption: ' two\n lines ', caption_by: 'file' })!.said, 'Written into the file: two lines');
  assert.equal(words.cellWords({ path: '/a/dog.jpg', score: null, match: 91, taken: null, caption: 'my dog', caption_by: 'user' }, true), 'Said by you: my dog, strong match, 91 of 100, no date, dog.jpg');
});

test('other scripts are noticed, accents and numbers are not', () => {
  assert.ok(words.isForeign('собака'));
  assert.ok(words.isForeign('dog 犬'));
  assert.ok(!words.isForeign('a café in São Paulo, 2019 -night 🙂'));
});
