// The job as one bar with its phases, and in words. Everything comes from the snapshot and from the page's own fetching.

import type { Job, LibraryFacts } from '../types.ts';
import { asSentence, count, duration, nameOf, plural, rate, took } from '../words.ts';

export type PageState = 'waiting' | 'working' | 'ready' | 'failed';
export type PhaseState = 'done' | 'now' | 'beside' | 'failed' | 'coming'; // beside: goes on while another one is 'now'

export interface Phase {
  name: string;
  share: number; // of the bar, per cent
  done: number; // 0..1
  state: PhaseState;
}

// The server's fraction gives 2 % to all before learning and 2 % to all after it, so the parts end where it says.
const shares = { Page: 0.5, Model: 0.5, 'Find pictures': 1, 'Learn pictures': 96, Index: 1.5, Ready: 0.5 } as const;
const order: readonly Job['phase'][] = ['prepare', 'scan', 'learn', 'index', 'ready'];
const names = ['Model', 'Find pictures', 'Learn pictures', 'Index', 'Ready'] as const;

const bounded = (value: number): number => Math.min(1, Math.max(0, value));
const isGood = (job: Job): boolean => job.outcome === 'ok' || job.outcome === 'partial';

/** How far a job that stopped early had come: what ended it is said in words, the bar stands where it stood. */
function reached(job: Job): number {
  if (job.phase !== 'ready' || isGood(job)) return order.indexOf(job.phase);
  if (job.fraction >= 0.98) return 3;
  return job.todo > 0 ? 2 : 1;
}

function learnedPart(job: Job, at: number): number {
  if (at > 2) return 1;
  return at === 2 && job.todo > 0 ? bounded(job.done / job.todo) : 0;
}

function pagePhase(page: PageState): Phase {
  const state: PhaseState = page === 'ready' ? 'done' : page === 'failed' ? 'failed' : 'beside';
  return { name: 'Page', share: shares.Page, done: page === 'ready' ? 1 : 0, state };
}

export function phasesOf(job: Job, page: PageState): Phase[] {
  const at = reached(job);
  const ended = isGood(job);
  const phases = names.map((name, index): Phase => {
    const state: PhaseState = index < at || ended ? 'done' : index === at && job.running ? 'now' : 'coming';
    const done = index === 2 ? learnedPart(job, ended ? names.length : at) : state === 'done' ? 1 : 0;
    return { name, share: shares[name], done, state };
  });
  return [pagePhase(page), ...phases];
}

/** Whole per cent, 100 only when it is over and well. */
export function percentOf(job: Job): number {
  if (isGood(job)) return 100;
  return Math.min(99, Math.floor(bounded(job.fraction) * 100));
}

/** 'about 2 min 20 s', 'estimating' */
export function timeLeft(job: Job): string {
  if (job.paused) return 'paused';
  if (job.phase === 'index') return 'a moment';
  return job.phase === 'learn' && job.eta_s !== null ? `about ${duration(job.eta_s)}` : 'estimating';
}

const phaseWords: Record<Job['phase'], string> = {
  prepare: 'Getting ready',
  scan: 'Finding pictures',
  learn: 'Learning pictures',
  index: 'Putting it in order',
  ready: 'Ready',
};

/** For a phase that begins. */
export const phaseSentence = (job: Job): string => (job.paused ? 'Paused' : phaseWords[job.phase]);

/** What the bar is called by a screen reader: 'Learning pictures, 18,406 of 48,212, about 2 min left' */
export function barText(job: Job, away: readonly string[] = []): string {
  if (!job.running) return resultOf(job, away).title;
  const parts = [phaseSentence(job)];
  if (job.phase === 'scan') parts.push(`${count(job.found)} so far`);
  if (job.phase === 'learn') parts.push(`${count(job.done)} of ${count(job.todo)}`);
  if (job.phase === 'learn' && !job.paused) parts.push(job.eta_s === null ? 'time left unknown yet' : `about ${duration(job.eta_s)} left`);
  return parts.join(', ');
}

/** The title while it runs. */
export function titleOf(job: Job, away: readonly string[] = []): string {
  if (job.cancelling) return 'Stopping';
  switch (job.phase) {
    case 'prepare':
      return 'Getting ready';
    case 'scan':
      return job.found > 0 ? `Found ${plural(job.found, 'picture')} so far` : 'Looking for pictures';
    case 'learn':
      return `Getting to know ${plural(job.todo, job.todo < job.found ? 'new picture' : 'picture')}`;
    case 'index':
      return 'Putting it in order';
    case 'ready':
      return resultOf(job, away).title;
  }
}

/** What the tab is called. */
export function tabTitle(job: Job | null, away: readonly string[] = []): string {
  const page = 'Pixel Detective';
  if (!job) return page;
  if (!job.running) return `${resultOf(job, away).title} · ${page}`;
  const percent = `${percentOf(job)} %`;
  return `${job.paused ? `Paused at ${percent}` : percent} · Getting to know your pictures · ${page}`;
}

/** '~/Pictures', '~/Pictures and 2 more folders' */
export function whereOf(job: Job, short: (path: string) => string): string {
  const [first, ...others] = job.roots;
  if (first === undefined) return 'Every folder you know';
  return others.length ? `${short(first)} and ${plural(others.length, 'more folder')}` : short(first);
}

export interface Figure {
  name: string;
  before?: string;
  value: string;
  after: string;
}

function speedFigure(job: Job): Figure {
  if (!job.running) return { name: 'Took', value: took(job.elapsed_s), after: '' };
  if (job.paused) return { name: 'Speed', value: '', after: 'paused' };
  if (job.rate === null) return { name: 'Speed', value: '', after: job.phase === 'learn' ? 'estimating' : 'not yet' };
  return { name: 'Speed', value: rate(job.rate), after: 'pictures a second' };
}

function leftFigure(job: Job): Figure {
  if (!job.running) return { name: 'Known already', value: count(job.unchanged + job.moved), after: '' };
  const left = timeLeft(job);
  if (left.startsWith('about ')) return { name: 'Time left', before: 'about', value: left.slice('about '.length), after: '' };
  return { name: 'Time left', value: '', after: left };
}

/** The four numbers under the bar: always four, at the same places. */
export function figuresOf(job: Job): Figure[] {
  const scanning = job.phase === 'prepare' || job.phase === 'scan';
  return [
    scanning
      ? { name: 'Found', value: count(job.found), after: 'so far' }
      : { name: 'Learned', value: count(job.learned), after: job.todo > 0 ? `of ${count(job.todo)}` : 'new' },
    speedFigure(job),
    leftFigure(job),
    { name: 'Set aside', value: count(job.failed), after: job.failed ? 'could not be read' : job.running ? 'so far' : goneOf(job) > 0 ? `and ${count(goneOf(job))} were gone` : 'all could be read' },
  ];
}

export interface Result {
  tone: 'good' | 'partial' | 'stopped' | 'bad';
  title: string;
  text: string; // what was kept, what can be done
}

const KEPT = 'They can be searched now.';

/** Folders of the job that are not there: a drive that was taken out, a folder that was moved. */
export function awayOf(job: Job, library: LibraryFacts | null): string[] {
  const roots = (library?.roots ?? []).filter(({ path, offline }) => offline && (job.roots.length === 0 || job.roots.includes(path)));
  return roots.map(({ path }) => path);
}

/** Pictures that were found and were not there any more when their turn came. */
function goneOf(job: Job): number {
  const ended = job.outcome === 'ok' || job.outcome === 'partial';
  return ended ? Math.max(0, job.found - job.learned - job.unchanged - job.moved - job.failed) : 0;
}

const goneText = (gone: number): string => `${plural(gone, 'picture')} had gone before ${gone === 1 ? 'it' : 'they'} could be read: the folder was moved, or its drive taken out.`;

function goodResult(job: Job, away: readonly string[]): Result {
  const seconds = `It took ${took(job.elapsed_s)}.`;
  const known = job.unchanged + job.moved;
  const gone = goneOf(job);
  if (job.found === 0 && away[0] !== undefined) {
    const title = away.length === 1 ? `${nameOf(away[0])} is not there` : `${count(away.length)} folders are not there`;
    return { tone: 'stopped', title, text: 'Moved, or on a drive that is not connected. What is known of its photos stays, and can be searched.' };
  }
  if (gone > 0) {
    const title = job.learned ? `${plural(job.learned, 'picture')} ${job.learned === 1 ? 'is' : 'are'} learned, ${count(gone)} had gone` : `${plural(gone, 'picture')} had gone`;
    return { tone: 'stopped', title, text: goneText(gone) };
  }
  if (job.found === 0) {
    return { tone: 'good', title: 'There are no pictures in this folder', text: 'Nothing was learned, nothing was changed. Choose another folder.' };
  }
  if (job.learned === 0) {
    return { tone: 'good', title: 'Nothing new here', text: `All ${plural(known, 'picture')} were known already. ${seconds}` };
  }
  const title = job.learned === 1 ? 'One picture is learned' : `${count(job.learned)} pictures are learned`;
  return { tone: 'good', title, text: known ? `${count(known)} more were known already. ${seconds}` : `That is all of them. ${seconds}` };
}

/** How it ended: what happened, what was kept, what can be done. */
export function resultOf(job: Job, away: readonly string[] = []): Result {
  const learned = plural(job.learned, 'picture');
  const is = job.learned === 1 ? 'is' : 'are';
  const kept = job.learned + job.unchanged + job.moved > 0 ? `What is learned stays, and can be searched now.` : 'Nothing was learned yet.';
  switch (job.outcome) {
    case 'ok':
      return goodResult(job, away);
    case 'partial': {
      const known = job.unchanged + job.moved;
      if (job.learned === 0 && known > 0) {
        return { tone: 'partial', title: 'Nothing new here', text: `${plural(known, 'picture')} were known already, ${count(job.failed)} still cannot be read.` };
      }
      const title = job.learned ? `${learned} ${is} learned, ${count(job.failed)} set aside` : `${plural(job.failed, 'picture')} could not be read`;
      const other = job.learned === 0 ? '' : `${KEPT} `;
      return { tone: 'partial', title, text: `${other}Those set aside are listed below with the reason; they are tried again when the file changes.${goneOf(job) > 0 ? ` ${goneText(goneOf(job))}` : ''}` };
    }
    case 'cancelled':
      return { tone: 'stopped', title: `Stopped after ${learned}`, text: `${kept} The rest can be learned at any time: it goes on from here.` };
    default:
      return { tone: 'bad', title: 'Learning stopped', text: `${asSentence(job.message ?? 'The reason is not known; the log says more')} ${kept}` };
  }
}

/** '/home/me/Pictures/Scans/roll.tif' as 'Scans/roll.tif' when that is a root of the job */
export function underRoots(path: string, roots: readonly string[]): string {
  const root = roots.find((one) => path.startsWith(one.endsWith('/') ? one : `${one}/`));
  return root ? path.slice(root.length).replace(/^\//, '') : path || nameOf(path);
}
