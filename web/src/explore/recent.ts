// Queries that were asked before, newest first, kept by the browser.

const KEY = 'searches';
const KEPT = 50;
const OFFERED = 8;

export type Shelf = Pick<Storage, 'getItem' | 'setItem'>;

export function recentQueries(shelf: Shelf): string[] {
  try {
    const read: unknown = JSON.parse(shelf.getItem(KEY) ?? '[]');
    return Array.isArray(read) ? read.filter((query): query is string => typeof query === 'string') : [];
  } catch {
    return []; // private mode, or not ours
  }
}

export function rememberQuery(shelf: Shelf, query: string): void {
  const asked = query.trim();
  if (asked === '') return;
  keep(shelf, [asked, ...recentQueries(shelf).filter((other) => other !== asked)].slice(0, KEPT));
}

export function forgetQueries(shelf: Shelf): void {
  keep(shelf, []);
}

/** Those that hold what is typed, the ones that begin with it first; all of them while nothing is typed. */
export function offeredQueries(shelf: Shelf, typed: string): string[] {
  const wanted = typed.trim().toLowerCase();
  const holding = recentQueries(shelf).filter((query) => query.toLowerCase().includes(wanted) && query !== typed.trim());
  const begins = (query: string) => Number(!query.toLowerCase().startsWith(wanted));
  return holding.sort((a, b) => begins(a) - begins(b)).slice(0, OFFERED);
}

function keep(shelf: Shelf, queries: string[]): void {
  try {
    shelf.setItem(KEY, JSON.stringify(queries));
  } catch {
    // private mode, or full: then they last for this page at most
  }
}
