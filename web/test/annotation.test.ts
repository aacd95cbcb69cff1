import assert from 'node:assert/strict';
import { test } from 'node:test';
import { annotationDoing, annotationPercent, annotationWords } from '../src/annotation.ts';
import { annotation } from './job.ts';

test('the queue says what it does, how far it is, and how long it takes', () => {
  assert.equal(annotationWords(annotation()), 'Writing captions: 120 of 3,112, about 20 min left');
  assert.equal(annotationWords(annotation({ phase: 'tags', eta_s: null })), 'Tagging: 120 of 3,112');
  assert.equal(annotationWords(annotation({ paused: true })), 'Captions paused: 120 of 3,112');
  assert.equal(annotationWords(annotation({ waiting: true })), 'Captions come after learning: 120 of 3,112');
  assert.equal(annotationDoing(annotation({ phase: 'tags', waiting: true })), 'Tags wait');
});

test('its percentage is whole, and a hundred only when all is written', () => {
  assert.equal(annotationPercent(annotation()), 3);
  assert.equal(annotationPercent(annotation({ done: 3112 })), 99);
  assert.equal(annotationPercent(annotation({ done: 3112, running: false, outcome: 'ok' })), 100);
  assert.equal(annotationPercent(annotation({ todo: 0, done: 0 })), 0);
});

test('its end says what was written, and what is doubtful', () => {
  const ended = (change: object) => annotationWords(annotation({ running: false, outcome: 'ok', ...change }));
  assert.equal(ended({ captioned: 120, tagged: 3 }), '3 photos tagged, 120 captions written, 9 of them doubtful');
  assert.equal(ended({ captioned: 1, doubtful: 0, failed: 1 }), '1 caption written, 1 photo could not be read');
  assert.equal(ended({ captioned: 0, doubtful: 0 }), 'Nothing is left to write');
  assert.equal(ended({ captioned: 0, outcome: 'cancelled' }), 'Stopped; what is written stays');
  assert.equal(ended({ outcome: 'full', message: 'the disk is full' }), 'The disk is full.');
});
