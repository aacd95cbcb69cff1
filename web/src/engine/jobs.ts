// What runs, or ran last, as rows of a table.

import { annotationPercent, annotationWords } from '../annotation.ts';
import type { Annotation, Job, Pull, Snapshot } from '../types.ts';
import { count, duration, nameOf, plural } from '../words.ts';
import { fractionOf, ofBytes } from './rows.ts';

export interface JobRow {
  name: string;
  state: string;
  tone?: 'accent' | 'positive' | 'warning' | 'danger';
  done: string;
  deeds: ('pause-job' | 'resume-job' | 'stop-job' | 'pause-writing' | 'resume-writing' | 'stop-writing' | 'start-writing' | 'pause-pull')[];
  href?: string;
}

const ended = (outcome: string | null): Pick<JobRow, 'state' | 'tone'> =>
  outcome === 'ok' || outcome === 'partial' ? { state: 'done', tone: 'positive' } : outcome === 'cancelled' ? { state: 'stopped' } : { state: 'failed', tone: 'danger' };

function learning(job: Job, short: (path: string) => string): JobRow {
  const where = job.roots.length === 1 ? nameOf(short(job.roots[0]!)) : plural(job.roots.length, 'folder');
  const name = `Learn ${where}`;
  if (!job.running) return { name, ...ended(job.outcome), done: `${count(job.learned)} learned, ${count(job.unchanged + job.moved)} known already, ${count(job.failed)} set aside`, deeds: [], href: '/loading' };
  const left = job.eta_s !== null && !job.paused ? `, about ${duration(job.eta_s)} left` : '';
  return {
    name,
    ...(job.paused ? { state: 'paused' } : { state: `running, ${Math.min(99, Math.floor(job.fraction * 100))} %`, tone: 'accent' as const }),
    done: `${count(job.done)} of ${count(job.todo)}${left}`,
    deeds: [job.paused ? 'resume-job' : 'pause-job', 'stop-job'],
    href: '/loading',
  };
}

function writing(annotation: Annotation | null, captions: boolean): JobRow {
  const name = captions ? 'Write tags and captions' : 'Write tags';
  if (!annotation) return { name, state: 'not started', done: '', deeds: ['start-writing'] };
  if (!annotation.running) return { name, ...ended(annotation.outcome), done: annotationWords(annotation), deeds: ['start-writing'] };
  return {
    name,
    ...(annotation.paused ? { state: 'paused' } : { state: `running, ${annotationPercent(annotation)} %`, tone: 'accent' as const }),
    done: annotationWords(annotation),
    deeds: [annotation.paused ? 'resume-writing' : 'pause-writing', 'stop-writing'],
  };
}

function fetching(pull: Pull): JobRow {
  const name = `Get ${pull.repository}`;
  const done = pull.total_bytes ? ofBytes(pull.done_bytes, pull.total_bytes) : '';
  if (pull.running) return { name, state: `running, ${Math.floor(fractionOf(pull) * 100)} %`, tone: 'accent', done, deeds: ['pause-pull'], href: '/models' };
  return { name, ...ended(pull.outcome), done: pull.message && pull.outcome !== 'ok' ? pull.message : done, deeds: [], href: '/models' };
}

/** `short` writes a path as the reader would. */
export function jobRows(now: Snapshot, short: (path: string) => string): JobRow[] {
  const learned = now.library?.learned ?? 0;
  const rows: JobRow[] = [];
  if (now.job) rows.push(learning(now.job, short));
  if (now.annotation || learned > 0) rows.push(writing(now.annotation ?? null, now.captions ?? false));
  if (now.pull) rows.push(fetching(now.pull));
  return rows.length > 0 ? rows : [{ name: 'Nothing', state: 'at rest', done: 'Nothing was learned yet', deeds: [] }];
}
