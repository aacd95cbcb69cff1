// The words of a query as the page shows them: tinted as it was read, as chips, as choices of the filter panel.

import type { Offer, Part } from '../types.ts';

export interface Segment {
  text: string;
  kind: 'plain' | 'minus' | 'filter' | 'like';
}

const kindOf = ({ kind, negated, weight }: Part): Segment['kind'] => {
  if (negated) return 'minus';
  if (kind === 'like' || (kind === 'meaning' && weight !== 1)) return 'like';
  return kind === 'meaning' ? 'plain' : 'filter';
};

/** `text` tinted as `read` was read. While the newest letters are on their way, only what they left as it was is. */
export function tint(text: string, read: string, parts: readonly Part[]): Segment[] {
  let same = 0;
  while (same < text.length && text[same] === read[same]) same++;
  const segments: Segment[] = [];
  let at = 0;
  for (const part of [...parts].sort((a, b) => a.begin - b.begin)) {
    const kind = kindOf(part);
    if (part.begin < at || part.end > text.length || part.end > same + (text === read ? 1 : 0) || kind === 'plain') continue;
    if (part.begin > at) segments.push({ text: text.slice(at, part.begin), kind: 'plain' });
    segments.push({ text: text.slice(part.begin, part.end), kind });
    at = part.end;
  }
  if (at < text.length) segments.push({ text: text.slice(at), kind: 'plain' });
  return segments;
}

/** "looks like: sunset" as its kind and the rest; a text without a colon is all rest. */
export function chipWords(text: string): { kind: string; rest: string } {
  const at = text.indexOf(': ');
  return at < 0 ? { kind: '', rest: text } : { kind: text.slice(0, at), rest: text.slice(at + 2) };
}

/** A choice of the completion taken: the new text, and where the cursor stands. */
export function accepted(text: string, typing: { begin: number; end: number }, offer: Offer): { text: string; cursor: number } {
  const rest = text.slice(typing.end);
  const insert = offer.insert.endsWith(':') || rest.startsWith(' ') ? offer.insert : `${offer.insert} `;
  return { text: text.slice(0, typing.begin) + insert + rest, cursor: typing.begin + insert.length };
}

const same = (a: string, b: string): boolean => a.localeCompare(b, undefined, { sensitivity: 'accent' }) === 0;

/** Which of the values that a query names is this one; -1: none. */
export const chosenAt = (chosen: readonly string[], value: string): number => chosen.findIndex((one) => same(one, value));

/** The query without one value of a field: its filter goes, or loses that one of its alternatives. */
export function unchosen(text: string, parts: readonly Part[], field: string, value: string): string {
  for (const part of parts) {
    if (part.kind !== 'filter' || part.field !== field || part.negated) continue;
    const written = text.slice(part.begin, part.end);
    const colon = written.indexOf(':') + 1;
    const values = split(written.slice(colon));
    const at = values.findIndex((one) => same(bare(one), value));
    if (at < 0) continue;
    if (values.length === 1) return part.without;
    return text.slice(0, part.begin) + written.slice(0, colon) + values.filter((_, i) => i !== at).join(',') + text.slice(part.end);
  }
  return parts.find((part) => part.kind === 'filter' && part.field === field && !part.negated)?.without ?? text;
}

/** Alternatives at their commas, but for those within quotes. */
const split = (values: string): string[] => values.match(/(?:"[^"]*"|[^,"])+/g) ?? [];
const bare = (value: string): string => value.replace(/^"(.*)"$/, '$1');
