// How large tiles are: a choice of the reader, kept by the browser.

export type TileSize = 'small' | 'medium' | 'large';

export const tileSizes: readonly TileSize[] = ['small', 'medium', 'large'];
export const PHONE_PX = 720; // the breakpoint of tokens.css

const desk: Record<TileSize, number> = { small: 140, medium: 210, large: 320 };
const phone: Record<TileSize, number> = { small: 80, medium: 116, large: 210 };
const KEY = 'tile-size';

/** Wanted height of a photograph, px. */
export const rowHeight = (size: TileSize, narrow: boolean): number => (narrow ? phone : desk)[size];

export function storedSize(): TileSize {
  try {
    return tileSizes.find((size) => size === localStorage.getItem(KEY)) ?? 'medium';
  } catch {
    return 'medium';
  }
}

export function storeSize(size: TileSize): void {
  try {
    localStorage.setItem(KEY, size);
  } catch {
    // Storage is switched off: the choice lasts for this page.
  }
}

export function nextSize(size: TileSize, by: 1 | -1): TileSize {
  const at = tileSizes.indexOf(size) + by;
  return tileSizes[Math.max(0, Math.min(tileSizes.length - 1, at))]!;
}
