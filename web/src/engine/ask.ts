// The part of docs/http.md that models and settings need.

import { ask, post } from '../api.ts';
import type { Catalogue, Removal, Settings, Snapshot } from '../types.ts';

const of = (key: string, order: string): string => `/models/${encodeURIComponent(key)}/${order}`;

export const catalogue = (signal?: AbortSignal): Promise<Catalogue> => ask<Catalogue>('/models', { signal: signal ?? null });
export const pull = (model: string, use: boolean): Promise<Snapshot> => post<Snapshot>('/models/pull', { model, use });
export const pausePull = (): Promise<Snapshot> => post<Snapshot>('/models/pull/cancel');
export const order = (key: string, what: 'load' | 'unload' | 'use'): Promise<Snapshot> => post<Snapshot>(of(key, what));
export const remove = (key: string, embeddings: boolean): Promise<unknown> => post(of(key, 'remove'), { embeddings });
export const removal = (key: string): Promise<Removal> => post<Removal>(of(key, 'remove'), { dry_run: true });
export const settings = (signal?: AbortSignal): Promise<Settings> => ask<Settings>('/settings', { signal: signal ?? null });
export const changeSettings = (change: Partial<Omit<Settings, 'threads_max'>>): Promise<Settings> => post<Settings>('/settings', change);
