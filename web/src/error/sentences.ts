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
