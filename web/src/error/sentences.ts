// Sentences of the program as title and list.

import { asSentence } from '../words.ts';

/** Without the full stop that a title does not have. */
export const asTitle = (sentence: string): string => asSentence(sentence).replace(/\.$/, '');

/** One item for each sentence. A stop inside a number, a name or an abbreviation is none: a capital has to follow. */
export function sentencesOf(text: string): string[] {
  return text
    .trim()
    .split(/(?<=[.!?])\s+(?=\p{Lu})/u)
    .map(asTitle)
    .filter(Boolean);
}

const LONG = 72; // characters: more is no title

/** A title one can read at a glance; what the program said goes below it when that is another sentence. */
export function titleFor(status: string, message: string, hasJob: boolean): string {
  if (status === 'full') return hasJob ? 'The disk is full, so learning stopped' : 'The disk is full';
  const own = asTitle(message);
  if (own.length <= LONG) return own;
  return hasJob ? 'Learning stopped' : 'The library cannot be opened';
}
