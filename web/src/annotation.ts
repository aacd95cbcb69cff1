// The queue that writes tags and captions, in one line.

import type { Annotation } from './types.ts';
import { asSentence, count, duration, plural } from './words.ts';

export const annotationPercent = ({ todo, done, running, outcome }: Annotation): number =>
  todo > 0 ? Math.min(running || outcome !== 'ok' ? 99 : 100, Math.floor((Math.min(done, todo) / todo) * 100)) : 0;

/** 'Writing captions', 'Tagging' */
export const annotationDoing = ({ phase, paused, waiting }: Annotation): string => {
  if (phase === 'tags') return paused ? 'Tagging paused' : waiting ? 'Tags wait' : 'Tagging';
  return paused ? 'Captions paused' : waiting ? 'Captions wait' : 'Writing captions';
};

/** 'Writing captions: 120 of 3,112, about 20 min left' */
export function annotationWords(now: Annotation): string {
  if (now.running) {
    if (now.waiting && !now.paused) return `${now.phase === 'tags' ? 'Tags' : 'Captions'} come after learning: ${count(now.done)} of ${count(now.todo)}`;
    const left = now.paused ? '' : now.eta_s === null ? '' : `, about ${duration(now.eta_s)} left`;
    return `${annotationDoing(now)}: ${count(now.done)} of ${count(now.todo)}${left}`;
  }
  if (now.outcome !== null && !['ok', 'partial', 'cancelled'].includes(now.outcome)) return asSentence(now.message ?? 'Writing tags and captions stopped');
  const wrote = [now.tagged > 0 && `${plural(now.tagged, 'photo')} tagged`, now.captioned > 0 && `${plural(now.captioned, 'caption')} written`, now.captioned > 0 && now.doubtful > 0 && `${count(now.doubtful)} of them doubtful`, now.failed > 0 && `${plural(now.failed, 'photo')} could not be read`].filter((part) => part !== false);
  if (wrote.length === 0) return now.outcome === 'cancelled' ? 'Stopped; what is written stays' : 'Nothing is left to write';
  return `${now.outcome === 'cancelled' ? 'Stopped: ' : ''}${wrote.join(', ')}`;
}
