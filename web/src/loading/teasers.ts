// Questions that are known to have an answer here: common ones are asked of what is learned, and those that find best are shown,
// each beside the photograph it found.

import type { Hit } from '../types.ts';

export const questions: readonly string[] = [
  'a person smiling',
  'children playing',
  'a group of people',
  'a dog or a cat',
  'an animal outdoors',
  'birds in the sky',
  'flowers in a garden',
  'trees in autumn',
  'mountains and sky',
  'a beach by the sea',
  'snow in winter',
  'a building in a city',
  'lights at night',
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

/** The `n` questions that find best, each with another photograph. */
export function bestAnswers(answers: readonly Answer[], n: number): { question: string; id: number }[] {
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
