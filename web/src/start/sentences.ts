// What the Start screen says about a folder.

import type { FolderCount, Look } from '../types.ts';
import { asSentence, count as number, plural } from '../words.ts';

const sentences: Record<Exclude<Look['kind'], 'folder'>, string> = {
  file: 'This is a file. Name the folder it lies in.',
  missing: 'No such folder.',
  unreadable: 'This folder cannot be read. Change its permissions or choose another one.',
  outside: 'This folder lies outside of what the page may show.',
};

/** What is wrong with it; null: nothing, or nothing known yet. */
export function lookSentence(look: Look | null): string | null {
  if (!look || look.kind === 'folder') return null;
  return look.message ? asSentence(look.message) : sentences[look.kind];
}

export interface Counted {
  number: string;
  rest: string;
}

export function countSentence(counted: FolderCount | null): Counted | null {
  if (!counted) return { number: '', rest: 'Counting pictures' };
  const { pictures, folders, files, complete } = counted;
  if (complete && pictures === 0) {
    const has = files === 0 ? 'It is empty.' : `It has ${plural(files, 'file')} of other kinds.`;
    return { number: '', rest: `There are no pictures in this folder. ${has}` };
  }
  const where = folders > 0 ? ` in ${plural(folders, 'folder')}` : '';
  const word = pictures === 1 ? 'picture' : 'pictures';
  return { number: number(pictures), rest: complete ? `${word}${where}` : `${word} so far${where}, still counting` };
}
