// Pictures to search with. They live in this page's memory and nowhere else: sent to be looked at, never stored, gone
// with the page. The history entry of such a search notes the name alone, so that a reload can say what is missing.

import { router } from '../router.svelte.ts';
import { toast } from '../toast.svelte.ts';
import { bytes } from '../words.ts';

export interface Picture {
  key: number;
  name: string;
  file: Blob;
}

interface Noted {
  key: number;
  name: string;
}

const NOTE = 'picture';
const UPLOAD_MAX = 64 * 1024 * 1024; // docs/limits.md: what the server takes
const KEPT = 8; // pictures in memory, for the back button

class Pictures {
  current = $state.raw<Picture | null>(null);
  gone = $state<string | null>(null); // name of one that a reload took
  #kept = new Map<number, Picture>();

  /** Leads to what looks like it. */
  search(file: File): void {
    if (file.size > UPLOAD_MAX) {
      toast(`${file.name} has ${bytes(file.size)}. A picture to search with may have ${bytes(UPLOAD_MAX)} at most.`);
      return;
    }
    const picture = { key: performance.timeOrigin + performance.now(), name: file.name || 'pasted picture', file };
    this.#kept.set(picture.key, picture);
    for (const key of this.#kept.keys()) if (this.#kept.size > KEPT) this.#kept.delete(key);
    router.navigate({ view: 'similar', ids: [], paths: [], q: '' });
    router.remember(NOTE, { key: picture.key, name: picture.name } satisfies Noted);
    this.follow();
  }

  /** Goes somewhere with the picture that is searched with now. */
  carry(go: () => void): void {
    const noted = router.recall<Noted>(NOTE);
    go();
    if (noted) router.remember(NOTE, noted);
    this.follow();
  }

  /** Takes the picture away again. */
  clear(): void {
    router.remember(NOTE, undefined);
    this.follow();
  }

  /** The history moved: which picture belongs to the entry that is seen? */
  follow(): void {
    const noted = router.recall<Noted>(NOTE);
    this.current = (noted && this.#kept.get(noted.key)) ?? null;
    this.gone = noted && !this.current ? noted.name : null;
  }
}

export const pictures = new Pictures();

/** The first picture among what was dropped or pasted; null where there is no file at all. */
export function pictureOf(data: DataTransfer | null): File | null {
  const files = [...(data?.files ?? [])];
  return files.find((file) => file.type.startsWith('image/')) ?? files[0] ?? null;
}
