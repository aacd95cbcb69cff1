import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Stream, waitMs, type Outside, type StreamNews } from '../src/stream.ts';
import { snapshot } from './job.ts';

// The outside, moved by hand.
class Hand implements Outside {
  after: (number | undefined)[] = []; // of each listening
  heard: (text: string) => void = () => {};
  broke: () => void = () => {};
  closed = 0;
  answer: { code: number; text: string } = { code: 200, text: '{}' };
  waits: { ms: number; call: () => void }[] = [];
  listen(after: number | undefined, heard: (text: string) => void, broke: () => void): () => void {
    this.after.push(after);
    this.heard = heard;
    this.broke = broke;
    return () => void this.closed++;
  }
  knock = (): Promise<{ code: number; text: string }> => Promise.resolve(this.answer);
  later = (ms: number, call: () => void): void => void this.waits.push({ ms, call });
}

const settled = (): Promise<void> => new Promise((done) => setImmediate(done));

function begin(): { hand: Hand; news: StreamNews[]; stream: Stream } {
  const hand = new Hand();
  const news: StreamNews[] = [];
  const stream = new Stream(hand, (one) => news.push(one));
  stream.start();
  return { hand, news, stream };
}

const said = (seq: number, started = 'a'): string => JSON.stringify(snapshot({ seq, started }));

test('snapshots are told, halves of them are not', () => {
  const { hand, news } = begin();
  hand.heard(said(4));
  hand.heard('{"seq":5,');
  assert.deepEqual(news.map((one) => one.kind), ['snapshot']);
  assert.deepEqual(hand.after, [undefined]);
});

test('a stream that broke goes on behind the last one that was heard', async () => {
  const { hand } = begin();
  hand.heard(said(4));
  hand.answer.text = said(9);
  hand.broke();
  await settled();
  assert.equal(hand.closed, 1);
  assert.deepEqual(hand.after, [undefined, 4]);
});

test('a program that was started anew is heard from its beginning', async () => {
  const { hand } = begin();
  hand.heard(said(400, 'a'));
  hand.answer.text = said(2, 'b');
  hand.broke();
  await settled();
  assert.deepEqual(hand.after, [undefined, undefined]);
});

test('no answer: longer and longer waits, and everyone is told how long', async () => {
  const { hand, news } = begin();
  hand.answer = { code: 0, text: '' };
  hand.broke();
  for (let i = 0; i < 5; i++) {
    await settled();
    hand.waits.at(-1)?.call();
  }
  await settled();
  assert.deepEqual(hand.waits.map(({ ms }) => ms), [1000, 2000, 4000, 8000, 15_000, 15_000]);
  assert.deepEqual(news.filter((one) => one.kind === 'lost').map((one) => one.retryInMs), hand.waits.map(({ ms }) => ms));
  assert.equal(waitMs(1000), 15_000);
});

test('a wait is over as soon as the user says so, and counts no more', async () => {
  const { hand, stream } = begin();
  hand.answer = { code: 0, text: '' };
  hand.broke();
  await settled();
  hand.answer = { code: 200, text: said(1) };
  stream.retryNow();
  await settled();
  assert.equal(hand.after.length, 2);
  hand.waits[0]?.call();
  await settled();
  assert.equal(hand.after.length, 2);
});

test('after a snapshot the waits begin small again', async () => {
  const { hand } = begin();
  hand.answer = { code: 0, text: '' };
  hand.broke();
  await settled();
  hand.waits[0]?.call();
  await settled();
  hand.answer = { code: 200, text: said(3) };
  hand.waits[1]?.call();
  await settled();
  hand.heard(said(3));
  hand.answer = { code: 0, text: '' };
  hand.broke();
  await settled();
  assert.equal(hand.waits[2]?.ms, 1000);
});

test('without a key it is said, and tried again all the same', async () => {
  const { hand, news } = begin();
  hand.answer = { code: 401, text: '' };
  hand.broke();
  await settled();
  assert.deepEqual(news.map((one) => one.kind), ['trying', 'locked', 'lost']);
  assert.equal(hand.waits.length, 1);
});

test('what is stopped stays stopped', async () => {
  const { hand, stream } = begin();
  hand.answer = { code: 0, text: '' };
  hand.broke();
  await settled();
  stream.stop();
  hand.waits[0]?.call();
  await settled();
  assert.equal(hand.after.length, 1);
});
