// The typed client of docs/http.md. Every failure is an ApiError with the server's own sentence.

import { asSentence } from './words.ts';
import type { FaultPage, FolderCount, FolderPage, Hits, Look, Snapshot, Sort, Speed } from './types.ts';

export const base = '/api/v1';

/** `status` is the server's name ('not_found', 'full' ...); 'offline': the program did not answer at all. */
export class ApiError extends Error {
  readonly status: string;
  readonly code: number; // HTTP; 0: no answer

  constructor(status: string, message: string, code: number) {
    super(message);
    this.name = 'ApiError';
    this.status = status;
    this.code = code;
  }
}

export const NOT_ANSWERING = 'The program is not answering.';

/** True for what a caller stopped itself: nothing to tell anybody. */
export function isAbort(error: unknown): boolean {
  return error instanceof DOMException && error.name === 'AbortError';
}

/** The sentence to show, whatever was thrown. */
export function sentenceOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

export async function failure(response: Response): Promise<ApiError> {
  try {
    const body = (await response.json()) as { error?: { status?: string; message?: string } };
    if (body.error?.message) return new ApiError(body.error.status ?? 'internal', asSentence(body.error.message), response.status);
  } catch {
    // Not JSON: something else than the program answered, or only half of it.
  }
  return new ApiError('internal', `The program answered with code ${response.status} and no reason.`, response.status);
}

export async function ask<T>(path: string, init?: RequestInit): Promise<T> {
  let response: Response;
  try {
    response = await fetch(base + path, { cache: 'no-store', ...init });
  } catch (error) {
    if (isAbort(error)) throw error;
    throw new ApiError('offline', NOT_ANSWERING, 0);
  }
  if (!response.ok) throw await failure(response);
  return (await response.json()) as T;
}

export type Values = Record<string, string | number | undefined>;

/** '?a=1&b=x' of what is set, '' of nothing. */
export function queryOf(values: Values): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(values)) if (value !== undefined) query.set(name, String(value));
  const text = query.toString();
  return text && `?${text}`;
}

export const post = <T>(path: string, body?: unknown, signal?: AbortSignal): Promise<T> =>
  ask<T>(path, {
    method: 'POST',
    signal: signal ?? null,
    ...(body === undefined ? {} : { headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) }),
  });

export interface Window {
  offset?: number;
  n?: number;
}

export const api = {
  snapshot: (signal?: AbortSignal) => ask<Snapshot>('/snapshot', { signal: signal ?? null }),

  /** As `status --json`; asking makes the program open the library when it is not. */
  status: (signal?: AbortSignal) => ask<Record<string, unknown>>('/status', { signal: signal ?? null }),

  search: (q: string, options: Window & { sort?: Sort } = {}, signal?: AbortSignal) =>
    ask<Hits>(`/search${queryOf({ q, ...options })}`, { signal: signal ?? null }),
  errors: (window: Window = {}, signal?: AbortSignal) =>
    ask<FaultPage>(`/errors${queryOf({ ...window })}`, { signal: signal ?? null }),

  startJob: (roots?: string[]) => post<Snapshot>('/job', roots ? { roots } : {}),
  pauseJob: () => post<Snapshot>('/job/pause'),
  resumeJob: () => post<Snapshot>('/job/resume'),
  cancelJob: () => post<Snapshot>('/job/cancel'),
  retryJob: () => post<Snapshot>('/job/retry'),
  setSpeed: (speed: Speed) => post<Snapshot>('/job/speed', { speed }),
  annotate: (order: 'start' | 'pause' | 'resume' | 'cancel') => post<Snapshot>('/annotate', { do: order }),

  folders: (path?: string, signal?: AbortSignal) =>
    ask<FolderPage>(`/folders${queryOf({ path })}`, { signal: signal ?? null }),
  look: (path: string, signal?: AbortSignal) =>
    ask<Look>(`/folders/look${queryOf({ path })}`, { signal: signal ?? null }),
};

/** The picture's address in an <img>. */
export const thumbUrl = (id: number): string => `${base}/photos/${id}/thumb`;
export const eventsUrl = (after?: number): string => `${base}/events${queryOf({ after })}`;

/** Counts the pictures under a folder, telling as it goes; the returned function stops it. `lost`: it broke off. */
export function countPictures(path: string, told: (count: FolderCount) => void, lost: () => void): () => void {
  const source = new EventSource(`${base}/folders/count${queryOf({ path })}`);
  source.addEventListener('count', (event) => {
    const count = JSON.parse((event as MessageEvent<string>).data) as FolderCount;
    if (count.complete) source.close();
    told(count);
  });
  // A count that is cut off is not begun again by itself: it would count from nothing.
  source.onerror = () => {
    source.close();
    lost();
  };
  return () => source.close();
}
