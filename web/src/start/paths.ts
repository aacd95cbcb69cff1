// Paths as text: what is typed, what Tab makes of it, the crumbs above a list. Nothing here asks the disk.

import { shortPath } from '../words.ts';

export interface Crumb {
  name: string;
  path: string;
}

/** '~/a' as '/home/me/a'; other text as it is. */
export function fullPath(text: string, home: string | null): string {
  if (!home || !(text === '~' || text.startsWith('~/'))) return text;
  return home.replace(/\/$/, '') + text.slice(1);
}

/** Without slashes at the end; '/' stays. */
export const withoutSlash = (path: string): string => path.replace(/\/+$/, '') || (path ? '/' : '');

/** From the home folder on when it lies there, else from the root. */
export function crumbsOf(path: string, home: string | null): Crumb[] {
  const clean = withoutSlash(path);
  const inHome = home !== null && home !== '/' && (clean === home || clean.startsWith(`${home}/`));
  const start = inHome ? home : '';
  const crumbs: Crumb[] = [inHome ? { name: 'Home', path: home } : { name: 'Computer', path: '/' }];
  let at = start;
  for (const name of clean.slice(start.length).split('/').filter(Boolean)) {
    at += `/${name}`;
    crumbs.push({ name, path: at });
  }
  return crumbs;
}

/** What Tab puts into the box, null when it has nothing to add. `typed` with ~ stays with ~. */
export function completedText(typed: string, completion: string | null, home: string | null): string | null {
  if (!completion) return null;
  const text = typed.startsWith('~') ? shortPath(completion, home) : completion;
  return text !== typed && text.length > typed.length ? text : null;
}

/** '/home/me/Pic' as folder '/home/me' and beginning 'Pic': what a list can show while the rest is typed. */
export function splitTyped(full: string): { folder: string; begins: string } | null {
  const cut = full.lastIndexOf('/');
  if (cut < 0) return null;
  return { folder: full.slice(0, cut) || '/', begins: full.slice(cut + 1) };
}

/** Those whose name begins like that; all of them when none does, so that a typo leaves something to look at. */
export function narrowed<T extends { name: string }>(folders: readonly T[], begins: string): readonly T[] {
  const wanted = begins.toLowerCase();
  const some = wanted ? folders.filter((folder) => folder.name.toLowerCase().startsWith(wanted)) : [];
  return some.length ? some : folders;
}

/** The next row that begins with the letters, searched for from `from` on and round; -1: none. */
export function rowByLetters(names: readonly string[], letters: string, from: number): number {
  const wanted = letters.toLowerCase();
  for (let step = 0; step < names.length; step++) {
    const at = (from + step) % names.length;
    if (names[at]?.toLowerCase().startsWith(wanted)) return at;
  }
  return -1;
}
