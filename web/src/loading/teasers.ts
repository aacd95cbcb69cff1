// Questions that are known to have an answer here: common ones are asked of what is learned, and those that find best are shown,
// each beside the photograph it found.

import type { Hit } from '../types.ts';

/** The first ones stand there until it is known which find best. */
export const questions: readonly string[] = [
  'a person smiling',
  'trees in autumn',
  'lights at night',
  'children playing',
  'a group of people',
  'a dog or a cat',
  'an animal outdoors',
  'birds in the sky',
  'flowers in a garden',
  'mountains and sky',
  'a beach by the sea',
  'snow in winter',
  'a building in a city',
  'a car on a road',
  'a train',
  'boats on the water',
  'food on a table',
  'sunset over water',
];

export interface Answer {
  question: string;
  hit: Hit | null;
}

export interface Teaser {
  question: string;
  id: number | null; // the photograph it found
}

/** The `n` questions that find best, each with another photograph. */
export function bestAnswers(answers: readonly Answer[], n: number): Teaser[] {
  const found = answers.flatMap(({ question, hit }) => (hit ? [{ question, id: hit.id, score: hit.score ?? 0 }] : []));
  found.sort((a, b) => b.score - a.score);
  const ids = new Set<number>();
  return found
    .filter(({ id }) => !ids.has(id) && ids.add(id))
    .slice(0, n)
    .map(({ question, id }) => ({ question, id }));
}

/** Asked again when there is this many times as much to find. */
const GROWTH = 6;
export const asksAgain = (asked: number, learned: number): boolean => learned > 0 && (asked === 0 || learned >= asked * GROWTH);
