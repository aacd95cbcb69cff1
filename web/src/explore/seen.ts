// What the model says of a photograph, and how sure it is.

import type { Tag, Work } from '../types.ts';

export interface SeenCaption {
  text: string;
  counts: boolean; // it is the photo's caption; else the reader's own stands above it
  doubtful: boolean;
}

/** The model's own caption; null: it wrote none. */
export function seenCaption(work: Work): SeenCaption | null {
  if (work.caption_by === 'machine' && work.caption) return { text: work.caption, counts: true, doubtful: work.caption_doubtful ?? false };
  const own = work.caption_machine ?? '';
  if (!own || own === work.caption) return null;
  return { text: own, counts: false, doubtful: false };
}

/** The reader took the caption away: an empty one, that wins for ever. */
export const isEmptied = (work: Work): boolean => work.caption_by === 'user' && !work.caption;

/** The model's tags, the surest first, the doubtful ones last. */
export const seenTags = (work: Work): Tag[] =>
  work.tags.filter(({ by }) => by === 'machine').sort((a, b) => Number(a.doubtful ?? false) - Number(b.doubtful ?? false) || (b.score ?? 0) - (a.score ?? 0));

/** 96, of a hundred; null: not known. */
export const sureness = (score: number | null | undefined): number | null => (typeof score === 'number' && Number.isFinite(score) ? Math.round(Math.max(0, Math.min(1, score)) * 100) : null);

/** What the model thinks of its caption. */
export function fitWords(work: Work): string {
  if (work.caption_by !== 'machine' || !work.caption) return '';
  if (work.caption_doubtful) return 'may be wrong';
  return 'fits the picture well';
}

/** A caption as it is shown: the model writes without a capital. */
export const asShown = (caption: string): string => caption.charAt(0).toUpperCase() + caption.slice(1);

/** One that is doubtful, as one would say it: 'A train at a station?' */
export const asQuestion = (caption: string): string => `${asShown(caption).replace(/[.!?\s]+$/, '')}?`;

/** How a tag is called: 'tent, 96 of 100', 'medieval fair, doubtful, 54 of 100' */
export function tagWords({ name, doubtful, score }: Tag): string {
  const sure = sureness(score);
  return [name, doubtful ? 'doubtful' : '', sure === null ? '' : `${sure} of 100`].filter(Boolean).join(', ');
}
