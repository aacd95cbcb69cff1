// The addresses of the page: every one is a real path, and holds the whole state of what is seen.

import type { Snapshot, Sort } from './types.ts';

export type Route =
  | { view: 'home' }
  | { view: 'start' }
  | { view: 'loading' }
  | { view: 'error' }
  | { view: 'search'; q: string; sort: Sort | null }
  | { view: 'similar'; ids: number[]; paths: string[]; q: string }
  | { view: 'photo'; id: number }
  | { view: 'models' }
  | { view: 'settings' }
  | { view: 'unknown'; path: string };

const sorts: readonly Sort[] = ['score', 'date', '-date', 'name', '-name', 'size', '-size'];

const plain = /^\/(start|loading|error|models|settings)$/;

function idOf(text: string): number | null {
  const id = /^\d{1,15}$/.test(text) ? Number(text) : 0;
  return id > 0 ? id : null;
}

/** `address` is path and query: '/search?q=dog'. What cannot be read is 'unknown', or the view without that part. */
export function parseRoute(address: string): Route {
  const url = new URL(address, 'http://page');
  const path = url.pathname.replace(/\/+$/, '') || '/';
  const query = url.searchParams;
  if (path === '/') return { view: 'home' };
  if (plain.test(path)) return { view: path.slice(1) as 'start' };
  if (path === '/search') {
    const sort = query.get('sort') as Sort | null;
    return { view: 'search', q: query.get('q') ?? '', sort: sort && sorts.includes(sort) ? sort : null };
  }
  if (path === '/similar') {
    const ids = (query.get('ids') ?? '').split(',').map(idOf);
    return { view: 'similar', ids: [...new Set(ids.filter((id) => id !== null))], paths: query.getAll('path').filter((one) => one !== ''), q: query.get('q') ?? '' };
  }
  const id = path.startsWith('/photo/') ? idOf(path.slice('/photo/'.length)) : null;
  return id === null ? { view: 'unknown', path: url.pathname } : { view: 'photo', id };
}

const withQuery = (path: string, values: string[][]): string => {
  const text = new URLSearchParams(values).toString().replaceAll('%2C', ','); // ids stay readable
  return text ? `${path}?${text}` : path;
};

export function formatRoute(route: Route): string {
  switch (route.view) {
    case 'home':
      return '/';
    case 'start':
    case 'loading':
    case 'error':
    case 'models':
    case 'settings':
      return `/${route.view}`;
    case 'search':
      return withQuery('/search', [...(route.q ? [['q', route.q]] : []), ...(route.sort ? [['sort', route.sort]] : [])]);
    case 'similar':
      return withQuery('/similar', [...(route.ids.length ? [['ids', route.ids.join(',')]] : []), ...route.paths.map((path) => ['path', path]), ...(route.q ? [['q', route.q]] : [])]);
    case 'photo':
      return `/photo/${route.id}`;
    case 'unknown':
      return route.path;
  }
}

/** The views that belong to explore/, which arrives as a chunk of its own. */
export const isExplore = (route: Route): boolean =>
  route.view === 'search' || route.view === 'similar' || route.view === 'photo' || route.view === 'models' || route.view === 'settings';

/** The screen that `/` stands for; null: not to be said yet, as the library is being opened at this moment. `patient` while
 *  there is time to wait for that. */
export function homeOf(now: Snapshot, patient: boolean): Route | null {
  if (now.state === 'LOADING') return { view: 'loading' };
  if (now.state === 'ERROR') return { view: 'error' };
  if (now.state === 'ADVANCED') return { view: 'search', q: '', sort: null };
  const opening = now.library === null && now.preparation.some(({ name, state }) => name === 'catalogue' && (state === 'waiting' || state === 'working'));
  return opening && patient ? null : { view: 'start' };
}
