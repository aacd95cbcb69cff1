// The groups of the filter panel, in its order.

import { cameraLabel } from './facts.ts';

export interface Group {
  field: string; // of the grammar
  title: string;
  open: boolean; // at first
  look: 'list' | 'years' | 'swatches';
}

export const groups: readonly Group[] = [
  { field: 'year', title: 'Taken', open: true, look: 'years' },
  { field: 'camera', title: 'Camera', open: true, look: 'list' },
  { field: 'lens', title: 'Lens', open: false, look: 'list' },
  { field: 'in', title: 'Folder', open: true, look: 'list' },
  { field: 'color', title: 'Colour', open: true, look: 'swatches' },
  { field: 'type', title: 'Type', open: true, look: 'list' },
  { field: 'tag', title: 'Tags', open: false, look: 'list' },
  { field: 'album', title: 'Albums', open: false, look: 'list' },
  { field: 'rating', title: 'Rating', open: false, look: 'list' },
  { field: 'has', title: 'Place and more', open: false, look: 'list' },
];

export const SHOWN = 5; // values of a group before "more"
export const ASKED = 40; // values of a group
export const YEARS_ASKED = 200;

const named: Record<string, Record<string, string>> = {
  has: { gps: 'With a place', date: 'With a date', tag: 'With a tag', caption: 'With a caption', rating: 'With a rating', album: 'In an album' },
  rating: { '0': 'None', '1': '1 star' },
};
const kinds: Record<string, string> = { jpeg: 'JPEG', png: 'PNG', webp: 'WebP', heic: 'HEIC', heif: 'HEIF', avif: 'AVIF', tiff: 'TIFF', gif: 'GIF', bmp: 'BMP', jxl: 'JPEG XL', jp2: 'JPEG 2000', raw: 'Raw' };

/** What a value is called. */
export function valueWords(field: string, value: string): string {
  const name = named[field]?.[value];
  if (name) return name;
  if (field === 'camera') return cameraLabel(value);
  if (field === 'type') return kinds[value] ?? value.toUpperCase();
  if (field === 'rating') return `${value} stars`;
  if (field === 'in') return value.replace(/\/+$/, '').split('/').slice(-2).join('/') || '/';
  return value;
}

const KEY = 'filters';

export interface Kept {
  shown: boolean;
  open: Record<string, boolean>;
}

/** Whether the panel is shown, and which groups of it are open: choices of the reader, kept by the browser. */
export function keptFilters(): Kept {
  try {
    const read = JSON.parse(localStorage.getItem(KEY) ?? '{}') as Partial<Kept>;
    return { shown: read.shown !== false, open: typeof read.open === 'object' && read.open !== null ? read.open : {} };
  } catch {
    return { shown: true, open: {} };
  }
}

export function keepFilters(kept: Kept): void {
  try {
    localStorage.setItem(KEY, JSON.stringify(kept));
  } catch {
    // Storage is switched off: the choice lasts for this page.
  }
}
