import assert from 'node:assert/strict';
import { test } from 'node:test';
import { indicatorOf } from '../../src/explore/indicator.ts';
import { Looking } from '../../src/explore/looking.ts';
import { asQuestion, fitWords, isEmptied, seenCaption, seenTags, sureness, tagWords } from '../../src/explore/seen.ts';
import type { Snapshot, Work } from '../../src/types.ts';
import { job, pull, snapshot } from '../job.ts';

const work = (change: Partial<Work> = {}): Work => ({ rating: null, rating_by: null, favorite: false, caption: null, caption_by: null, tags: [], albums: [], ...change });

test('the caption of the model counts until the reader says otherwise', () => {
  assert.equal(seenCaption(work()), null);
  assert.deepEqual(seenCaption(work({ caption: 'A dog', caption_by: 'machine', caption_doubtful: true, caption_machine: 'A dog' })), { text: 'A dog', counts: true, doubtful: true });
  assert.deepEqual(seenCaption(work({ caption: 'Our Rex', caption_by: 'user', caption_machine: 'A dog' })), { text: 'A dog', counts: false, doubtful: false });
  assert.equal(seenCaption(work({ caption: 'A dog', caption_by: 'user', caption_machine: 'A dog' })), null); // made the reader's own
  const gone = work({ caption: null, caption_by: 'user', caption_machine: 'A dog' });
  assert.ok(isEmptied(gone));
  assert.equal(seenCaption(gone)?.counts, false);
  assert.ok(!isEmptied(work()));
});

test('doubt is said in words', () => {
  assert.equal(asQuestion('a train at a station. '), 'A train at a station?');
  assert.equal(fitWords(work({ caption: 'A', caption_by: 'machine', caption_doubtful: true })), 'may be wrong');
  assert.equal(fitWords(work({ caption: 'A', caption_by: 'machine' })), 'fits the picture well');
  assert.equal(fitWords(work({ caption: 'A', caption_by: 'user' })), '');
  assert.equal(tagWords({ name: 'medieval fair', by: 'machine', score: 0.54, doubtful: true }), 'medieval fair, doubtful, 54 of 100');
  assert.deepEqual([sureness(0.957), sureness(null), sureness(Number.NaN), sureness(1.2)], [96, null, null, 100]);
});

test("the model's tags alone, the surest first, what is doubtful last", () => {
  const tags = seenTags(work({ tags: [{ name: 'fair', by: 'machine', score: 0.9, doubtful: true }, { name: 'tent', by: 'machine', score: 0.8 }, { name: 'mine', by: 'user' }, { name: 'banner', by: 'machine', score: 0.85 }] }));
  assert.deepEqual(tags.map(({ name }) => name), ['banner', 'tent', 'fair']);
});

test('the top bar says what the model does, the gravest first', () => {
  const of = (change: Partial<Snapshot>) => {
    const { dot, text } = indicatorOf(snapshot(change));
    return [dot, text];
  };
  const model = (change: Partial<Snapshot['model']>) => ({ model: { name: 'tiny', state: 'ready' as const, ms: null, ...change } });
  assert.deepEqual(of(model({})), ['ready', 'Model ready']);
  assert.deepEqual(of(model({ state: 'cold' })), ['cold', 'Model not loaded']);
  assert.deepEqual(of(model({ state: 'idle' })), ['idle', 'Model asleep']);
  assert.deepEqual(of(model({ state: 'loading', fraction: 0.4 })), ['loading', 'Model loading, 40 %']);
  assert.deepEqual(of({ ...model({ state: 'failed' }), pull: pull() }), ['offline', 'Model not usable']);
  assert.deepEqual(of({ ...model({}), pull: pull() }), ['loading', 'Getting clip-vit-base-patch32, 55 %']);
  assert.deepEqual(of({ ...model({ next: 'a--b' }), job: job({ fraction: 0.385 }) }), ['loading', 'Learning with b, 38 %']);
  assert.deepEqual(of(model({ next: 'a--b' })), ['cold', 'b comes next']);
  assert.equal(indicatorOf(snapshot(model({ next: 'a--b' })), () => 'CLIP B/32').text, 'CLIP B/32 comes next');
});

test('what is in sight is told now and then, and only to who listens', async () => {
  const told: number[][] = [];
  let wanted = false;
  let now = 0;
  const looking = new Looking((photos) => told.push(photos), () => wanted, () => now);
  const turn = () => new Promise((resolve) => setTimeout(resolve, 5));
  looking.at([1]);
  await turn();
  assert.deepEqual(told, []);
  wanted = true;
  looking.at([1]);
  looking.at([2, 3]);
  await turn();
  assert.deepEqual(told, [[2, 3]], 'the last one of a moment');
  now += 1500;
  looking.at([2, 3]);
  await turn();
  assert.equal(told.length, 1, 'the same is not told twice');
  looking.at([4]);
  await turn();
  assert.equal(told.length, 2);
  now += 1;
  looking.at([5]);
  await turn();
  assert.equal(told.length, 2, 'too soon');
  looking.stop();
});
