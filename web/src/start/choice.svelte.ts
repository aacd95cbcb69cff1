// Which folder: what is typed, what the disk says to it, how many pictures lie there, and the list beside it.
//
// Every question is dropped when the text has moved on, so that an answer is never about another path than the one shown.

import { SvelteMap } from 'svelte/reactivity';
import { api, countPictures, isAbort, sentenceOf } from '../api.ts';
import type { Folder, FolderCount, FolderPage, Look } from '../types.ts';
import { home } from '../home.svelte.ts';
import { shortPath } from '../words.ts';
import { completedText, fullPath, narrowed, splitTyped, withoutSlash } from './paths.ts';

const LOOK_WAITS_MS = 90; // after the last key
const QUICK_COUNT_MS = 1500; // a folder counted faster than this has its folders counted, too
const ROWS_COUNTED_MAX = 60;

export const NO_ROW = -1; // what is typed is no row yet

export class Choice {
  text = $state('');
  edited = $state(false); // by the user: from then on nothing is filled in for them
  look = $state.raw<Look | null>(null);
  looking = $state(false);
  trouble = $state<string | null>(null); // why there is no look
  count = $state.raw<FolderCount | null>(null);
  page = $state.raw<FolderPage | null>(null);
  pageTrouble = $state<string | null>(null);
  begins = $state(''); // what the list is narrowed to
  row = $state(0); // of the list; 0 is the folder itself, NO_ROW none
  readonly counts = new SvelteMap<string, FolderCount>(); // complete ones

  readonly home: string | null = $derived(home.path);
  readonly folders: readonly Folder[] = $derived(narrowed(this.page?.folders ?? [], this.begins));
  readonly isFolder: boolean = $derived(this.look?.kind === 'folder');
  readonly isEmpty: boolean = $derived(this.isFolder && this.count?.complete === true && this.count.pictures === 0);

  #timer = 0;
  #asking: AbortController | null = null;
  #answer: Promise<void> = Promise.resolve();
  #stopCount: () => void = () => {};
  #stopRows: () => void = () => {};
  #listing: AbortController | null = null;

  short = (path: string): string => shortPath(path, this.home);

  /** The first list: pictures if there is such a folder, home else. */
  async open(): Promise<void> {
    await this.browse(undefined);
    const places = this.page?.places ?? [];
    const place = places.find(({ kind }) => kind === 'pictures') ?? places.find(({ kind }) => kind === 'home');
    const path = place?.path ?? this.page?.path;
    if (!path || this.edited || this.text) return;
    this.put(path);
    if (path !== this.page?.path) await this.browse(path);
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#asking?.abort();
    this.#listing?.abort();
    this.#stopCount();
    this.#stopRows();
  }

  /** The user typed. */
  type(text: string): void {
    this.edited = true;
    this.#set(text, true, LOOK_WAITS_MS);
  }

  /** A folder was chosen somewhere; the list stays. */
  put(path: string): void {
    this.#set(this.short(path), false, LOOK_WAITS_MS);
  }

  /** A folder was opened: it is chosen, and the list shows what lies in it. */
  enter(path: string): void {
    this.edited = true;
    this.put(path);
    void this.browse(path);
  }

  /** Goes up, and stands on the folder it came from. */
  async up(): Promise<void> {
    const from = this.page?.path;
    const parent = this.page?.parent;
    if (!parent) return;
    this.edited = true;
    this.put(parent);
    await this.browse(parent);
    const at = this.folders.findIndex((folder) => folder.path === from);
    if (this.page?.path === parent && at >= 0) this.stand(at + 1);
  }

  /** From what is typed into the list: to the first folder that may be meant. */
  enterList(): void {
    if (this.row === NO_ROW) this.stand(1);
  }

  /** Moves to a row of the list; what is chosen follows. */
  stand(row: number): void {
    this.row = Math.max(0, Math.min(row, this.folders.length));
    const path = this.row === 0 ? this.page?.path : this.folders[this.row - 1]?.path;
    if (path) this.put(path);
    this.edited = true;
  }

  /** The look at what stands there now, waited for. */
  async settle(): Promise<Look | null> {
    if (this.#timer) this.#ask(this.text);
    await this.#answer;
    return this.look;
  }

  completed = (): string | null => completedText(this.text, this.look?.completion ?? null, this.home);

  #set(text: string, follow: boolean, waits: number): void {
    if (text === this.text && this.look) return;
    this.text = text;
    clearTimeout(this.#timer);
    this.#asking?.abort();
    this.#stopCount();
    this.#stopRows();
    this.count = null;
    this.trouble = null;
    if (!text.trim()) {
      this.#timer = 0;
      this.look = null;
      this.looking = false;
      return;
    }
    this.looking = true;
    this.#timer = window.setTimeout(() => this.#ask(text, follow), waits);
  }

  #ask(text: string, follow = false): void {
    clearTimeout(this.#timer);
    this.#timer = 0;
    this.#asking = new AbortController();
    this.#answer = this.#lookAt(text, follow, this.#asking.signal);
  }

  async #lookAt(text: string, follow: boolean, signal: AbortSignal): Promise<void> {
    try {
      const look = await api.look(text, signal);
      if (text !== this.text) return;
      this.look = look;
      this.looking = false;
      if (look.kind === 'folder') this.#startCount(look.path);
      if (follow) await this.#follow(look);
    } catch (error) {
      if (isAbort(error) || text !== this.text) return;
      this.look = null;
      this.looking = false;
      this.trouble = sentenceOf(error);
    }
  }

  // The list goes along with what is typed: the folder itself, or the one above with what begins like that.
  async #follow(look: Look): Promise<void> {
    const typed = fullPath(this.text, this.home);
    const split = look.kind === 'folder' ? null : splitTyped(typed);
    const folder = look.kind === 'folder' ? look.path : split && withoutSlash(split.folder);
    if (!folder) return;
    if (folder !== this.page?.path) await this.browse(folder, true);
    if (folder === this.page?.path) this.begins = split?.begins ?? '';
    this.row = this.begins ? NO_ROW : 0;
  }

  /** Shows the folders in `path` (undefined: the home folder). `quiet`: only typed, so a failure is not worth a word. */
  async browse(path: string | undefined, quiet = false): Promise<void> {
    this.#listing?.abort();
    this.#stopRows();
    const listing = (this.#listing = new AbortController());
    try {
      const page = await api.folders(path, listing.signal);
      this.page = page;
      home.learn(page.places.find((place) => place.kind === 'home')?.path ?? null);
      this.pageTrouble = null;
      this.begins = '';
      this.row = 0;
    } catch (error) {
      if (!isAbort(error) && !quiet) this.pageTrouble = sentenceOf(error);
    }
  }

  #startCount(path: string): void {
    this.#stopCount();
    const known = this.counts.get(path);
    if (known) {
      this.count = known;
      return this.#countRows();
    }
    const began = performance.now();
    this.#stopCount = countPictures(
      path,
      (count) => {
        this.count = count;
        if (!count.complete) return;
        this.counts.set(path, count);
        if (performance.now() - began < QUICK_COUNT_MS) this.#countRows();
      },
      () => {},
    );
  }

  // One after the other, and only where it costs next to nothing: 'which of these holds my pictures?'
  #countRows(): void {
    this.#stopRows();
    const paths = (this.page?.folders ?? []).filter((folder) => folder.readable).map((folder) => folder.path);
    const waiting = paths.filter((path) => !this.counts.has(path)).slice(0, ROWS_COUNTED_MAX);
    const next = (): void => {
      const path = waiting.shift();
      if (path === undefined) return;
      this.#stopRows = countPictures(
        path,
        (count) => {
          if (!count.complete) return;
          this.counts.set(path, count);
          next();
        },
        next,
      );
    };
    next();
  }
}
