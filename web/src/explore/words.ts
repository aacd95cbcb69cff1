// What a photograph's facts are called. A time taken is the camera's wall clock: it is never converted into another zone.

import type { Hit } from '../types.ts';
import { count, nameOf } from '../words.ts';
import { asQuestion, asShown } from './seen.ts';

const MONTHS = ['January', 'February', 'March', 'April', 'May', 'June', 'July', 'August', 'September', 'October', 'November', 'December'];
const DAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];

export interface Taken {
  day: string; // "22 Oct"
  year: string; // "2008"
  long: string; // "Wednesday 22 October 2008, 16:28"
}

/** `YYYY-MM-DDTHH:MM:SS`, perhaps with a zone, which is said and not applied; null when it is no such time. */
export function takenWords(taken: string | null): Taken | null {
  const parts = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d)/.exec(taken ?? '');
  if (!parts) return null;
  const [, year, month, day, hour, minute] = parts as unknown as [string, string, string, string, string, string];
  const name = MONTHS[Number(month) - 1];
  if (!name) return null;
  const weekday = DAYS[new Date(Date.UTC(Number(year), Number(month) - 1, Number(day))).getUTCDay()];
  const zone = /[+-]\d\d:\d\d$/.exec(taken!)?.[0];
  return {
    day: `${Number(day)} ${name.slice(0, 3)}`,
    year,
    long: `${weekday} ${Number(day)} ${name} ${year}, ${hour}:${minute}${zone ? `, UTC${zone.replace('-', '−')}` : ''}`,
  };
}

/** The time something was learned: UTC in, the reader's own clock out. */
export function momentWords(at: string): string {
  const moment = new Date(at);
  if (Number.isNaN(moment.getTime())) return at;
  const two = (n: number) => String(n).padStart(2, '0');
  return `${moment.getDate()} ${MONTHS[moment.getMonth()]} ${moment.getFullYear()}, ${two(moment.getHours())}:${two(moment.getMinutes())}`;
}

/** Parts of a second as photographers say them: 1/800 s, 0.5 s, 30 s. */
export function exposureWords(seconds: number): string {
  if (seconds < 0.3) return `1/${count(Math.round(1 / seconds))} s`;
  return `${Number(seconds.toFixed(1))} s`;
}

/** 46.8012° N, 13.4956° E */
export function placeWords(lat: number, lon: number, alt: number | null): string {
  const one = (value: number, plus: string, minus: string) => `${Math.abs(value).toFixed(4)}° ${value < 0 ? minus : plus}`;
  const height = alt === null ? '' : `, ${count(Math.round(Math.abs(alt)))} m ${alt < 0 ? 'below' : 'above'} the sea`;
  return `${one(lat, 'N', 'S')}, ${one(lon, 'E', 'W')}${height}`;
}

/** 1984 × 1488, 3.0 megapixels */
export function sizeWords(width: number, height: number): string {
  const mega = (width * height) / 1e6;
  return `${width} × ${height}${mega >= 0.95 ? `, ${mega < 9.95 ? mega.toFixed(1) : Math.round(mega)} megapixels` : ''}`;
}

/** Under 10 ms a tenth counts. */
export function tookWords(ms: number): string {
  if (ms >= 1000) return `${(ms / 1000).toFixed(1)} s`;
  return `${ms < 9.95 ? Number(ms.toFixed(1)) : Math.round(ms)} ms`;
}

export function folderOf(path: string): string {
  return path.slice(0, Math.max(1, path.lastIndexOf('/')));
}

/** What is under a photograph on the left; null in a list that is not ordered by likeness. */
export function scoreWords(score: number | null): string | null {
  return score === null ? null : score.toFixed(2);
}

/** "88, a strong match" */
export function matchWords(match: number, strong: boolean | null): string {
  return strong === null ? `${match} of 100` : `${match}, a ${strong ? 'strong' : 'weaker'} match`;
}

export interface TileCaption {
  text: string; // as it is shown
  said: string; // with who says so: "Seen by the model: A dog on a beach"
  doubtful: boolean;
}

/** What is said about a photograph in one line; null: nothing. */
export function captionOf({ caption, caption_by: by, caption_doubtful: doubted }: Partial<Pick<Hit, 'caption' | 'caption_by' | 'caption_doubtful'>>): TileCaption | null {
  const plain = caption?.trim().replace(/\s+/g, ' ');
  if (!plain) return null;
  if (by !== 'machine') return { text: plain, said: `${by === 'file' ? 'Written into the file' : 'Said by you'}: ${plain}`, doubtful: false };
  const doubtful = doubted ?? false;
  const text = doubtful ? asQuestion(plain) : asShown(plain);
  return { text, said: `Seen by the model${doubtful ? ', may be wrong' : ''}: ${text}`, doubtful };
}

/** What a cell is called: what is said about it, match or score, date, and the name of the file. */
export function cellWords(hit: Pick<Hit, 'path' | 'score' | 'match' | 'taken'> & Partial<Hit>, strong: boolean | null): string {
  const caption = captionOf(hit);
  const said = [caption ? caption.said : nameOf(hit.path)];
  if (hit.match !== null) said.push(strong === null ? `match ${hit.match} of 100` : `${strong ? 'strong' : 'weaker'} match, ${hit.match} of 100`);
  else if (hit.score !== null) said.push(`score ${scoreWords(hit.score)}`);
  said.push(takenWords(hit.taken)?.long ?? 'no date');
  if (caption) said.push(nameOf(hit.path));
  return said.join(', ');
}

/** Words in letters that a model of English has not learned. Accents are fine: "café". */
export function isForeign(query: string): boolean {
  return /[^\P{L}\p{Script=Latin}]/u.test(query);
}
