import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cameraFacts, cameraLabel, cameraWords, fileFacts, ratingWords, writtenFacts } from '../../src/explore/facts.ts';
import type { Photo } from '../../src/types.ts';

const bare: Photo = {
  id: 1, path: '/home/me/a.jpg', name: 'a.jpg', root: '/home/me', offline: false, bytes: 640_000, type: 'jpeg', width: 1984, height: 1488,
  orientation: 1, taken: null, taken_source: null, make: null, model: null, lens: null, iso: null, exposure_s: null, fnumber: null,
  focal_mm: null, gps: null, keywords: [], rating: null, caption: null, tags: [], sha256: 'ab', phash: null, learned: null, error: null,
};

const lines = (facts: { key: string; value: string }[]) => facts.map(({ key, value }) => `${key}: ${value}`);

test('what the camera wrote is said, what it did not has no line', () => {
  assert.deepEqual(cameraFacts(bare), []);
  const full = { ...bare, taken: '2004-04-25T17:10:00', taken_source: 'exif' as const, make: 'OLYMPUS OPTICAL CO.,LTD', model: 'C720UZ', iso: 100, exposure_s: 1 / 800, fnumber: 3.2, focal_mm: 10.4, gps: { lat: 46.8, lon: 13.5, alt: null } };
  assert.deepEqual(lines(cameraFacts(full)), ['Taken: Sunday 25 April 2004, 17:10', 'Camera: Olympus C720UZ', 'Exposure: 1/800 s   f/3.2   ISO 100   10.4 mm', 'Place: 46.8000° N, 13.5000° E']);
});

test("a time that is the file's own is marked as such", () => {
  assert.match(cameraFacts({ ...bare, taken: '2004-04-25T17:10:00', taken_source: 'file' })[0]!.note!, /file's own/);
});

test('a folder is written as the reader would', () => {
  assert.ok(lines(fileFacts({ ...bare, path: '/home/me/Pictures/a.jpg' }, (path) => path.replace('/home/me', '~'))).includes('Folder: ~/Pictures'));
});

test('zeros are not facts', () => {
  assert.deepEqual(cameraFacts({ ...bare, iso: 0, exposure_s: 0, fnumber: 0, focal_mm: 0 }), []);
  assert.equal(lines(fileFacts({ ...bare, width: 0, height: 0, sha256: '' })).length, 3);
});

test('makers say their name once', () => {
  assert.equal(cameraWords('Canon', 'Canon EOS D60'), 'Canon EOS D60');
  assert.equal(cameraWords('NIKON CORPORATION', 'NIKON D5000'), 'NIKON D5000');
  assert.equal(cameraWords('SONY', 'DSC-P1'), 'Sony DSC-P1');
  assert.equal(cameraWords(null, 'X'), 'X');
  assert.equal(cameraWords('HTC', null), 'HTC');
  assert.equal(cameraLabel('NIKON COOLPIX P6000'), 'Nikon COOLPIX P6000');
  assert.equal(cameraLabel('CASIO COMPUTER CO.,LTD. EX-Z4'), 'Casio EX-Z4');
  assert.equal(cameraLabel('Canon EOS D60'), 'Canon EOS D60');
});

test('a rejected photo has no stars, and no rating is none', () => {
  assert.equal(ratingWords(-1), 'Rejected');
  assert.equal(ratingWords(0), null);
  assert.equal(ratingWords(null), null);
  assert.equal(ratingWords(4), '4 of 5');
  assert.deepEqual(writtenFacts({ ...bare, rating: 0 }), []);
});

test('what people wrote into the file is said under its own names', () => {
  const written = { ...bare, title: 'A fair', description: 'Tents below the hills', persons: ['Ada', 'Bo'], rating: -1 };
  assert.deepEqual(lines(writtenFacts(written)), ['Title: A fair', 'Description: Tents below the hills', 'Persons: Ada, Bo', 'Rating: Rejected']);
  assert.deepEqual(lines(writtenFacts({ ...bare, title: 'Same', description: 'Same' })), ['Title: Same']);
  const work = { rating: 4, rating_by: 'user' as const, favorite: false, caption: null, caption_by: null, tags: [], albums: [] };
  assert.deepEqual(lines(writtenFacts({ ...bare, rating: 4, work })), []);
  assert.deepEqual(lines(writtenFacts({ ...bare, rating: 4, work: { ...work, rating_by: 'file' } })), ['Rating: 4 of 5']);
});
