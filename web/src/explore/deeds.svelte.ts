// What is done with photographs: edits that can be taken back, and the dialogs that ask for a name or a folder first.

import { ApiError, sentenceOf } from '../api.ts';
import { copy, toast } from '../toast.svelte.ts';
import type { Hit } from '../types.ts';
import { asSentence, plural } from '../words.ts';
import { type Change, edit, undo, undoNext, type Where, windowOf } from './ask.ts';
import type { List } from './lists.svelte.ts';
import { lists } from './lists.svelte.ts';

/** Photographs that something is done with. */
export interface Target {
  n: number;
  where: Where[];
  /** All of the list. */
  whole: boolean;
  /** Them, as far as they can be listed (HITS_MAX). */
  hits: () => Promise<Hit[]>;
}

export type Dialog = { what: 'tag' | 'album' | 'export'; target: Target } | { what: 'save'; query: string; words: string } | { what: 'shelf' };

export const EXAMPLES_MAX = 64; // docs/limits.md
const HITS_MAX = 10_000; // windows of the program are no longer
const NAMED_MAX = 1000; // photographs that are named by their ids: a result may be gone by then

export const one = (hit: Pick<Hit, 'id' | 'path'>): Target => ({ n: 1, where: [{ photos: [hit.id] }], whole: false, hits: () => Promise.resolve([hit as Hit]) });

/** What is selected in a list; null: nothing. */
export function selectedIn(list: List): Target | null {
  const { selection, results } = list;
  if (selection.count === 0) return null;
  const named: Hit[] = [];
  const where: Where[] = [];
  for (const { first, end } of selection.stretches) {
    const hits = end - first + named.length > NAMED_MAX ? null : known(list, first, end);
    if (hits) named.push(...hits);
    else if (results.result !== null) where.push({ result: results.result, first, n: end - first });
  }
  if (named.length > 0) where.unshift({ photos: named.map(({ id }) => id) });
  return { n: selection.count, where, whole: selection.count === results.total, hits: () => hitsOf(list) };
}

function known(list: List, first: number, end: number): Hit[] | null {
  const hits: Hit[] = [];
  for (let item = first; item < end; item++) {
    const hit = list.results.at(item);
    if (!hit) return null;
    hits.push(hit);
  }
  return hits;
}

async function hitsOf(list: List): Promise<Hit[]> {
  const { selection, results } = list;
  const all: Hit[] = [];
  for (const { first, end } of selection.stretches) {
    const n = Math.min(end - first, HITS_MAX - all.length);
    const hits = known(list, first, first + n) ?? (results.result === null ? [] : (await windowOf(results.result, { offset: first, n })).hits);
    all.push(...hits);
  }
  return all;
}

function said(change: Change, n: number): string {
  const photos = plural(n, 'photo');
  if ('tag' in change) return `${photos} tagged “${change.tag}”.`;
  if ('untag' in change) return `Tag “${change.untag}” taken from ${photos}.`;
  if ('rating' in change) return change.rating ? `${photos} rated ${change.rating} of 5.` : `Rating taken from ${photos}.`;
  if ('favorite' in change) return change.favorite ? `${photos} marked as favourite.` : `${photos} no longer favourite.`;
  if ('caption' in change) return change.caption ? 'Caption written.' : 'Caption taken away.';
  if ('album' in change) return `${photos} put into “${change.album}”.`;
  return `${photos} taken out of “${change.unalbum}”.`;
}

class Deeds {
  dialog = $state.raw<Dialog | null>(null);
  version = $state(0); // grows with every change of the user's work
  busy = $state(false);

  /** Changes photographs, says so, and offers to take it back. */
  async edit(target: Target, change: Change): Promise<boolean> {
    if (this.busy) return false;
    this.busy = true;
    let edited = 0;
    const steps: number[] = [];
    try {
      for (const where of target.where) {
        const done = await edit(where, change);
        edited += done.edited;
        if (done.step !== null) steps.push(done.step);
      }
      if (edited === 0) toast('Nothing to change: it is so already.');
      else toast(said(change, edited), { label: 'Undo', run: () => void this.undo(steps) });
      return true;
    } catch (error) {
      toast(sentenceOf(error));
      return false;
    } finally {
      this.busy = false;
      this.changed();
    }
  }

  /** Takes back these steps, the newest first; the newest there is, where none is named. */
  async undo(steps: number[] = []): Promise<void> {
    try {
      const all = steps.length > 0 ? [...steps].reverse() : [(await undoNext()).step].filter((step) => step !== null);
      if (all.length === 0) {
        toast('There is nothing to take back.');
        return;
      }
      let sentence: string | null = null;
      for (const step of all) ({ sentence } = await undo(step));
      toast(`Taken back: ${asSentence(sentence ?? 'the last change')}`);
      this.changed();
    } catch (error) {
      toast(error instanceof ApiError && error.code === 404 ? 'That can no longer be taken back: something was changed since.' : sentenceOf(error));
    }
  }

  changed(): void {
    this.version++;
    lists.renew();
  }

  async copyPaths(target: Target): Promise<void> {
    try {
      const hits = await target.hits();
      await copy(hits.map(({ path }) => path).join('\n'), target.n === 1 ? 'Path' : `${plural(hits.length, 'path')}`);
    } catch (error) {
      toast(sentenceOf(error));
    }
  }
}

export const deeds = new Deeds();
