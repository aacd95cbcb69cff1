// The catalogue as it is seen: the program's list, with what the snapshot knows newer, in words.

import type { ModelEntry, ModelKind, Pull, Snapshot } from '../types.ts';
import { asSentence, bytes, count, duration, plural } from '../words.ts';

export type Dot = 'ready' | 'loading' | 'cold' | 'idle' | 'offline';
export type Deed = 'get' | 'go-on' | 'pause' | 'use' | 'in-use' | 'wake' | 'put-away' | 'retry' | 'remove';

export interface Row {
  entry: ModelEntry;
  label: string;
  dot: Dot;
  current: boolean; // the one that answers, or writes
  pull: Pull | null; // while it is fetched
  fault: string | null; // the program's own sentence about it
  note: string | null;
  main: Deed | null;
  also: Deed[];
}

/** Of a folder of the user's the key is its path, which stands beside it. */
export const nameOf = (entry: ModelEntry): string => (entry.name === entry.key && entry.key.includes('/') ? entry.key.slice(entry.key.lastIndexOf('/') + 1) : entry.name);

const percent = (fraction: number): string => `${Math.min(99, Math.floor(fraction * 100))} %`;

/** '212 of 380 MB': both in the unit of the whole. */
export function ofBytes(done: number, total: number): string {
  const whole = bytes(total);
  const unit = whole.split(' ')[1]!;
  const size: Record<string, number> = { byte: 1, bytes: 1, kB: 1e3, MB: 1e6, GB: 1e9, TB: 1e12 };
  const scaled = done / (size[unit] ?? 1);
  const shown = /\./.test(whole) && scaled < 9.95 ? scaled.toFixed(1) : String(Math.floor(scaled));
  return `${shown} of ${whole}`;
}

export const fractionOf = (pull: Pull): number => (pull.total_bytes ? Math.min(1, pull.done_bytes / pull.total_bytes) : 0);

/** The entry, with what the snapshot knows newer: it comes by itself, the list is asked for. */
export function renewed(entry: ModelEntry, now: Snapshot | null): ModelEntry {
  const here = now?.models?.find(({ key }) => key === entry.key);
  if (!here || !entry.complete) return entry;
  const idle_s = here.state === entry.state ? entry.idle_s : 0;
  return { ...entry, state: here.state, fraction: here.fraction, memory_bytes: here.memory_bytes, error: here.error, idle_s };
}

function labelOf(entry: ModelEntry, pull: Pull | null, now: Snapshot | null): { label: string; dot: Dot } {
  if (pull) {
    if (pull.phase === 'list') return { label: 'Asking what there is', dot: 'loading' };
    if (pull.phase === 'check' || pull.phase === 'ready') return { label: 'Checking what came', dot: 'loading' };
    return { label: pull.total_bytes ? `Downloading, ${percent(fractionOf(pull))}` : 'Downloading', dot: 'loading' };
  }
  if (entry.kind === 'search' && entry.chosen && !entry.answering && entry.state !== 'failed') {
    const job = now?.job?.running ? now.job : null;
    return job ? { label: `Learning, ${percent(job.fraction)}`, dot: 'loading' } : { label: 'Chosen, not learned yet', dot: 'cold' };
  }
  const use = entry.answering && !entry.chosen ? ', answers until then' : entry.chosen ? ', in use' : '';
  switch (entry.state) {
    case 'absent':
      return { label: entry.built_in ? 'Missing' : 'Not here', dot: entry.built_in ? 'offline' : 'cold' };
    case 'partial':
      return { label: entry.disk_bytes && entry.download_bytes && entry.disk_bytes < entry.download_bytes ? `Begun, ${percent(entry.disk_bytes / entry.download_bytes)}` : 'Begun', dot: 'cold' };
    case 'loading':
      return { label: `Loading${entry.fraction ? `, ${percent(entry.fraction)}` : ''}${use}`, dot: 'loading' };
    case 'ready':
      return { label: `Ready${use}`, dot: 'ready' };
    case 'idle':
      return { label: `Asleep${use}${!use && (entry.idle_s ?? 0) >= 60 ? `, idle for ${duration(entry.idle_s!)}` : ''}`, dot: 'idle' };
    case 'failed':
      return { label: 'Could not be loaded', dot: 'offline' };
    case 'cold':
      return { label: use ? `Not loaded${use}` : 'Here, not loaded', dot: 'cold' };
  }
}

function deedsOf(entry: ModelEntry, pull: Pull | null): { main: Deed | null; also: Deed[] } {
  if (pull) return { main: 'pause', also: [] };
  const inUse = entry.chosen || entry.answering;
  const remove: Deed[] = entry.built_in || inUse ? [] : ['remove'];
  if (!entry.complete) return { main: entry.built_in || !entry.repository ? null : entry.state === 'partial' ? 'go-on' : 'get', also: entry.state === 'partial' ? remove : [] };
  if (entry.key.includes('/')) return { main: entry.chosen ? 'in-use' : null, also: [] }; // a folder of the user's: orders name only what lies among the models
  const rest: Deed[] = entry.state === 'ready' ? ['put-away'] : entry.state === 'failed' ? ['retry'] : entry.state === 'loading' ? [] : ['wake'];
  return { main: entry.chosen ? 'in-use' : 'use', also: [...rest, ...remove] };
}

function noteOf(entry: ModelEntry, photos: number): string | null {
  const knows = entry.learned ?? 0;
  if (entry.kind !== 'search' || entry.chosen || knows <= 0 || photos <= 0) return null;
  return knows >= photos ? 'It knows all your photos: changing to it takes a moment.' : `It knows ${count(knows)} of ${plural(photos, 'photo')} already.`;
}

export function rowOf(asked: ModelEntry, now: Snapshot | null): Row {
  const entry = renewed(asked, now);
  const told = now?.pull?.key === entry.key ? now.pull : null;
  const pull = told?.running ? told : null;
  const failed = told && !told.running && !entry.complete && told.outcome !== 'ok' && told.outcome !== 'cancelled' ? told.message : null;
  return {
    entry,
    ...labelOf(entry, pull, now),
    current: entry.kind === 'search' ? entry.answering : entry.chosen,
    pull,
    fault: entry.error || failed ? asSentence(entry.error || failed!) : null,
    note: noteOf(entry, now?.library?.learned ?? 0),
    ...deedsOf(entry, pull),
  };
}

export const kinds: readonly { kind: ModelKind; title: string; dial: string }[] = [
  { kind: 'search', title: 'Search', dial: 'Finds' },
  { kind: 'captions', title: 'Captions', dial: 'Writes' },
];

/** '2 ms', '0.24 s', '3.1 s' */
export const pictureWords = (ms: number): string => (ms < 100 ? `${ms} ms` : ms < 9950 ? `${Number((ms / 1000).toFixed(ms < 995 ? 2 : 1))} s` : `${Math.round(ms / 1000)} s`);

/** '212 of 380 MB, 11 MB a second, about 15 s left. Learning can begin at 60 %.' */
export function pullWords(pull: Pull, kind: ModelKind, uses: boolean): string {
  const said = [pull.total_bytes ? ofBytes(pull.done_bytes, pull.total_bytes) : bytes(pull.done_bytes)];
  if (pull.rate) said.push(`${bytes(Math.round(pull.rate))} a second`);
  if (pull.eta_s !== null) said.push(`about ${duration(pull.eta_s)} left`);
  const text = `${said.join(', ')}.`;
  if (kind === 'captions') return text;
  if (pull.vision_ready) return `${text} ${uses ? 'What sees is here: learning has begun.' : 'What sees is here, what reads is still coming.'}`;
  if (pull.vision_bytes && pull.total_bytes) return `${text} Learning can begin at ${percent(pull.vision_bytes / pull.total_bytes)}.`;
  return pull.phase === 'rest' || pull.phase === 'check' ? `${text} Learning can begin when all of it is here.` : text; // else it is not known yet
}

const DECODE_MS = 50; // of one core, a photograph of a camera: until a job has told how long they take here
const TELLS_FROM = 20; // photos, of a job that says something about the next one

/** Seconds to learn so many photos with a model: reading and decoding takes as long as it took, the model takes its own time. */
export function learnSeconds(photos: number, pictureMs: number, usedMs: number, threads: number, job: { learned: number; elapsed_s: number } | null): number {
  const each = job && job.learned >= TELLS_FROM ? Math.max(1, (job.elapsed_s * 1000 * threads) / job.learned - usedMs) : DECODE_MS;
  return (photos * (each + pictureMs)) / 1000 / threads;
}

/** What changing the search model means; null: nothing is learned, so nothing is learned again. */
export function changeWords(models: readonly ModelEntry[], now: Snapshot | null, threads: number): string | null {
  const photos = now?.library?.learned ?? 0;
  if (photos === 0) return null;
  const searching = models.filter(({ kind }) => kind === 'search');
  const used = searching.find(({ answering }) => answering)?.picture_ms ?? 0;
  const others = searching.filter(({ chosen, answering, picture_ms, learned }) => !chosen && !answering && (picture_ms ?? 0) > 0 && (learned ?? 0) < photos);
  const job = now?.job && !now.job.running ? now.job : null;
  const taken = others.map(({ name, picture_ms }) => ({ name, s: learnSeconds(photos, picture_ms!, used, threads, job) })).sort((a, b) => a.s - b.s);
  const told = taken.length > 2 ? [taken[0]!, taken.at(-1)!] : taken;
  const times = told.map(({ name, s }, i) => `${i === 0 ? 'about ' : ''}${duration(s)} with ${name}`).join(', ');
  const pace = others.length === 0 && job && job.learned >= TELLS_FROM ? (photos * job.elapsed_s) / job.learned : null; // what the last one took is the least
  const long = pace !== null ? `: at the pace of the last time ${plural(photos, 'photo')} ${photos === 1 ? 'takes' : 'take'} about ${duration(pace)}, with a larger model longer` : times ? `: ${plural(photos, 'photo')} ${photos === 1 ? 'takes' : 'take'} ${times}` : '';
  return `Changing the search model learns the library again${long}. Until it is done, search keeps using the old one. Nothing you wrote or rated is touched.`;
}

/** Which model is learned with while another one answers; null: none. */
export function switching(models: readonly ModelEntry[]): { to: ModelEntry; from: ModelEntry | null } | null {
  const searching = models.filter(({ kind }) => kind === 'search');
  const to = searching.find(({ chosen, answering }) => chosen && !answering);
  return to ? { to, from: searching.find(({ answering }) => answering) ?? null } : null;
}

/** 'owner/name', 'owner/name@revision': what the hub knows a model by. */
export const isReference = (text: string): boolean => /^[\w.-]+\/[\w.-]+(@[\w./-]+)?$/.test(text.trim());

/** After which the list may read otherwise, of all that the snapshot says. */
export function fingerprint(now: Snapshot | null): string {
  if (!now) return '';
  const { pull, job, model } = now;
  return [model.name, model.next, pull?.key, pull?.running, pull?.phase, job?.number, job?.running, now.captions, ...(now.models ?? []).map(({ key, state }) => `${key} ${state}`)].join('|');
}
