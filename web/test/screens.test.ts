import assert from 'node:assert/strict';
import { test } from 'node:test';
import { queryOf } from '../src/api.ts';
import { asTitle, sentencesOf, titleFor } from '../src/error/sentences.ts';
import { asksAgain, bestAnswers, questions } from '../src/loading/teasers.ts';
import { readinessOf } from '../src/parts/readiness.ts';
import type { Hit } from '../src/types.ts';
import { snapshot } from './job.ts';

test('sentences become a list, numbers and names stay whole', () => {
  assert.deepEqual(sentencesOf('18,406 photos are learned (1.5 GB). Captions are saved. Your pictures were not touched.'), ['18,406 photos are learned (1.5 GB)', 'Captions are saved', 'Your pictures were not touched']);
  assert.deepEqual(sentencesOf('The file a.b c.d is kept.'), ['The file a.b c.d is kept']);
  assert.deepEqual(sentencesOf('About approx. 3 of them stay. Nothing is lost.'), ['About approx. 3 of them stay', 'Nothing is lost']);
  assert.deepEqual(sentencesOf(''), []);
  assert.equal(asTitle(' The disk is full. '), 'The disk is full');
});

test('the questions that find best are shown, each with another photograph', () => {
  const hit = (id: number, score: number | null): Hit => ({ id, path: '', score, match: null, taken: null, width: 1, height: 1 });
  const answers = [
    { question: 'a', hit: hit(1, 0.2) },
    { question: 'b', hit: hit(2, 0.3) },
    { question: 'c', hit: hit(2, 0.25) },
    { question: 'd', hit: null },
    { question: 'e', hit: hit(3, null) },
  ];
  assert.deepEqual(bestAnswers(answers, 3), [{ question: 'b', id: 2 }, { question: 'a', id: 1 }, { question: 'e', id: 3 }]);
  assert.equal(new Set(questions).size, questions.length);
});

test('they are asked again when there is much more to find', () => {
  assert.deepEqual([[0, 0], [0, 12], [12, 20], [12, 72]].map(([asked, learned]) => asksAgain(asked!, learned!)), [false, true, false, true]);
});

test('what is got ready is said, the worst first', () => {
  const ready = { name: 'catalogue', state: 'ready', ms: 1, message: null } as const;
  const model = (state: 'waiting' | 'working' | 'ready' | 'failed') => ({ name: 'model', state, ms: null, message: null });
  const of = (state: 'waiting' | 'working' | 'ready' | 'failed', page = 'ready', connection = 'connected') => readinessOf(snapshot({ preparation: [ready, model(state)] }), page, connection);
  assert.deepEqual(of('ready'), { dot: 'ready', text: null });
  assert.deepEqual(of('working'), { dot: 'loading', text: 'Getting the model ready' });
  assert.deepEqual(of('failed', 'working'), { dot: 'offline', text: 'The model cannot be used' });
  assert.deepEqual(of('ready', 'working'), { dot: 'loading', text: 'Getting the page ready' });
  assert.deepEqual(of('ready', 'failed'), { dot: 'offline', text: 'Part of the page did not arrive' });
  assert.deepEqual(of('ready', 'ready', 'lost'), { dot: 'offline', text: 'Not connected' });
  assert.deepEqual(readinessOf(null, 'ready', 'opening'), { dot: 'cold', text: 'Waking up' });
  assert.equal(readinessOf(snapshot({ model: { name: 'tiny', state: 'missing', ms: null } }), 'ready', 'connected').dot, 'offline');
});

test('a query has what is set', () => {
  assert.equal(queryOf({ q: '', n: 0, sort: undefined }), '?q=&n=0');
  assert.equal(queryOf({}), '');
  assert.equal(queryOf({ path: '/a b/ü&' }), '?path=%2Fa+b%2F%C3%BC%26');
});

test('an error has a title that can be read at a glance', () => {
  const long = "cannot read the catalogue '/home/me/.local/share/pixel-detective/catalogue.sqlite': it is no catalogue";
  assert.equal(titleFor('full', long, true), 'The disk is full, so learning stopped');
  assert.equal(titleFor('full', long, false), 'The disk is full');
  assert.equal(titleFor('corrupt', long, false), 'The library cannot be opened');
  assert.equal(titleFor('crashed', long, true), 'Learning stopped');
  assert.equal(titleFor('not_found', 'there is no model here', true), 'There is no model here');
});
