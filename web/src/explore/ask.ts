// The part of docs/http.md that searching needs: questions, the words of a query, the user's own work.

import { ApiError, ask, base, failure, NOT_ANSWERING, post, queryOf, type Window } from '../api.ts';
import type { Album, FieldValues, Hits, Past, Photo, Reading, Saved, Sort } from '../types.ts';

/** A newer question of the same tab ends an older one that still runs. */
const tab = Math.random().toString(36).slice(2);

export interface Examples {
  ids: number[];
  paths: string[];
}

export const question = (q: string, options: Window & { sort?: Sort }, signal: AbortSignal): Promise<Hits> => ask<Hits>(`/search${queryOf({ q, ...options, tab })}`, { signal });

/** A window of a result that was answered before. */
export const windowOf = (result: number, window: Window, signal?: AbortSignal): Promise<Hits> => ask<Hits>(`/search${queryOf({ result, ...window })}`, { signal: signal ?? null });

export const similarTo = (like: Examples, q: string, window: Window = {}, signal?: AbortSignal, ofTab?: string): Promise<Hits> =>
  post<Hits>(`/similar${queryOf({ tab: ofTab })}`, { ...(like.ids.length ? { ids: like.ids } : {}), ...(like.paths.length ? { paths: like.paths } : {}), ...(q ? { q } : {}), ...window }, signal);

export const questionLike = (like: Examples, q: string, window: Window, signal: AbortSignal): Promise<Hits> => similarTo(like, q, window, signal, tab);

export const questionByPicture = (picture: Blob, q: string, window: Window, signal: AbortSignal): Promise<Hits> =>
  ask<Hits>(`/similar${queryOf({ q: q || undefined, ...window, tab })}`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/octet-stream' },
    body: picture,
    signal,
  });

export const photo = (id: number, signal?: AbortSignal): Promise<Photo> => ask<Photo>(`/photos/${id}`, { signal: signal ?? null });

/** Tags and a caption now, written to the catalogue; what the user said stays. */
export const describe = (id: number, signal?: AbortSignal): Promise<Photo> => post<Photo>(`/photos/${id}/describe`, undefined, signal);

export const viewUrl = (id: number, size?: number): string => `${base}/photos/${id}/view${queryOf({ size })}`;

/** Why a photo's rendition does not come, as the program says it. */
export async function whyNoView(id: number): Promise<string> {
  try {
    const response = await fetch(viewUrl(id, 320), { cache: 'no-store' });
    if (!response.ok) return (await failure(response)).message;
  } catch {
    return NOT_ANSWERING;
  }
  return 'The original could not be shown.';
}

export const reading = (q: string, cursor: number | undefined, signal: AbortSignal): Promise<Reading> => ask<Reading>(`/query${queryOf({ q, cursor })}`, { signal });

export const values = (q: string, fields: string[], n: number, prefix?: string, signal?: AbortSignal): Promise<{ total: number; fields: FieldValues[] }> =>
  ask(`/values${queryOf({ q, fields: fields.join(), n, prefix })}`, { signal: signal ?? null });

/** Which photos an edit is of: by their ids, or as a stretch of a result. */
export type Where = { photos: number[] } | { result: number; first: number; n: number };

export type Change =
  | { tag: string }
  | { untag: string }
  | { rating: number | null }
  | { favorite: boolean }
  | { caption: string | null }
  | { album: string }
  | { unalbum: string };

export interface Step {
  step: number | null;
  sentence: string | null;
}

export const edit = (where: Where, change: Change): Promise<Step & { edited: number }> => post('/edit', { ...where, ...change });
export const undoNext = (): Promise<Step> => ask<Step>('/undo');
export const undo = (step: number): Promise<Step> => post<Step>('/undo', { step });

export const albums = (signal?: AbortSignal): Promise<Album[]> => ask<{ albums: Album[] }>('/albums', { signal: signal ?? null }).then((answer) => answer.albums);
export const changeAlbums = (change: { make: string } | { rename: string; to: string } | { remove: string }): Promise<Step> => post<Step>('/albums', change);

export const saved = (signal?: AbortSignal): Promise<Saved[]> => ask<{ saved: Saved[] }>('/saved', { signal: signal ?? null }).then((answer) => answer.saved);
export const changeSaved = (change: { name: string; query: string } | { remove: string }): Promise<unknown> => post('/saved', change);

export const past = (signal?: AbortSignal): Promise<Past[]> => ask<{ history: Past[] }>('/history?n=50', { signal: signal ?? null }).then((answer) => answer.history);
export const changePast = (change: { add: string } | { clear: true }): Promise<unknown> => post('/history', change);

export type Form = 'list' | 'csv' | 'json';
export const exportUrl = (of: { result: number; first?: number; n?: number } | { ids: string }, form: Form): string => `${base}/export${queryOf({ ...of, form })}`;
export const workUrl = `${base}/work`;
export const takeWork = (document: Blob): Promise<{ edits: number; photos: number; waiting: number; albums: number; searches: number }> =>
  ask('/work', { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: document });

export interface Copied {
  copied: number;
  renamed: number;
  failed: number;
  of: number;
  complete: boolean;
  message: string | null;
}

/** Copies originals into a folder, telling as it goes. `signal` stops it; what is copied stays. */
export const copyTo = (folder: string, where: Where, told: (so_far: Copied) => void, signal: AbortSignal): Promise<void> => tellingAsItGoes('/copy', { ...where, folder }, told, signal);

export interface Sidecars {
  written: number;
  unchanged: number;
  failed: number;
  of: number;
  complete: boolean;
  message: string | null;
}

/** XMP sidecars beside the originals; `machine`: with what the model wrote, where it does not doubt it. */
export const writeSidecars = (where: Where, machine: boolean, told: (so_far: Sidecars) => void, signal: AbortSignal): Promise<void> =>
  tellingAsItGoes('/sidecars', { ...where, machine }, told, signal);

async function tellingAsItGoes<T extends { complete: boolean }>(path: string, body: unknown, told: (so_far: T) => void, signal: AbortSignal): Promise<void> {
  const response = await fetch(base + path, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify(body),
    signal,
  });
  if (!response.ok || !response.body) throw await failure(response);
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let text = '';
  let complete = false;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    text += value;
    const events = text.split('\n\n');
    text = events.pop()!;
    for (const event of events) {
      const data = /^data: ?(.*)$/m.exec(event)?.[1];
      if (!data) continue;
      const so_far = JSON.parse(data) as T;
      complete ||= so_far.complete;
      told(so_far);
    }
  }
  if (!complete) throw new ApiError('offline', NOT_ANSWERING, 0);
}
