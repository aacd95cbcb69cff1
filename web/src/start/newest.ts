// Which of the newest photos belong to which folder.

import type { Hit, Root } from '../types.ts';

const lies = (path: string, folder: string): boolean => path === folder || path.startsWith(folder === '/' ? '/' : `${folder}/`);

/** The first `n` of `hits` that lie in `folder`, and not in another root further in. A single root has them all. */
export function newestOf(hits: readonly Hit[], folder: string, roots: readonly Root[], n: number): Hit[] {
  if (roots.length < 2) return hits.slice(0, n);
  const inner = roots.filter((root) => root.path.length > folder.length && lies(root.path, folder));
  return hits.filter((hit) => lies(hit.path, folder) && !inner.some((root) => lies(hit.path, root.path))).slice(0, n);
}
