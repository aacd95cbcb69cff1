import assert from 'node:assert/strict';
import { test } from 'node:test';
import { accepted, chipWords, chosenAt, tint, unchosen } from '../../src/explore/query.ts';
import type { Part } from '../../src/types.ts';

/** Parts by the words that made them, in `text`. */
function parts(text: string, ...made: [string, Partial<Part>][]): Part[] {
  return made.map(([words, more]) => {
    const begin = text.indexOf(words);
    const without = (text.slice(0, begin) + text.slice(begin + words.length)).replace(/\s+/g, ' ').trim();
    return { kind: 'meaning', field: null, negated: false, weight: 1, text: words, note: null, begin, end: begin + words.length, without, ...more };
  });
}

const text = 'old town -night camera:canon,"Nikon D5000" 🙂 "exact"';
const read = parts(text, ['old town', {}], ['-night', { negated: true }], ['camera:canon,"Nikon D5000"', { kind: 'filter', field: 'camera' }], ['"exact"', { kind: 'exact' }]);

test('what is grammar is tinted, what is meaning is not', () => {
  assert.deepEqual(tint(text, text, read), [
    { text: 'old town ', kind: 'plain' },
    { text: '-night', kind: 'minus' },
    { text: ' ', kind: 'plain' },
    { text: 'camera:canon,"Nikon D5000"', kind: 'filter' },
    { text: ' 🙂 ', kind: 'plain' },
    { text: '"exact"', kind: 'filter' },
  ]);
  assert.deepEqual(tint('', '', []), []);
});

test('while the newest letters are not read yet, the colours before them stay', () => {
  const typed = text.replace('canon', 'can');
  assert.equal(tint(typed, text, read).filter(({ kind }) => kind !== 'plain').length, 1);
  assert.equal(tint(`${text} and more`, text, read).map((one) => one.text).join(''), `${text} and more`);
  for (const some of ['', 'x', 'old town -nig', typed]) assert.equal(tint(some, text, read).map((one) => one.text).join(''), some);
});

test('a chip has its kind apart', () => {
  assert.deepEqual(chipWords('looks like: a town: old'), { kind: 'looks like', rest: 'a town: old' });
  assert.deepEqual(chipWords('after 2019'), { kind: '', rest: 'after 2019' });
});

test('a choice replaces what was typed, and leaves the cursor behind it', () => {
  assert.deepEqual(accepted('boats cam', { begin: 6, end: 9 }, { insert: 'camera:', label: '', count: null }), { text: 'boats camera:', cursor: 13 });
  assert.deepEqual(accepted('camera:ni at night', { begin: 0, end: 9 }, { insert: 'camera:nikon', label: '', count: 1 }), { text: 'camera:nikon at night', cursor: 12 });
  assert.deepEqual(accepted('camera:ni', { begin: 0, end: 9 }, { insert: 'camera:nikon', label: '', count: 1 }), { text: 'camera:nikon ', cursor: 13 });
});

test('a value is taken out of its filter, and the last one takes the filter along', () => {
  assert.equal(unchosen(text, read, 'camera', 'Nikon D5000'), 'old town -night camera:canon 🙂 "exact"');
  assert.equal(unchosen(text, read, 'camera', 'Canon'), 'old town -night camera:"Nikon D5000" 🙂 "exact"');
  const one = 'sea camera:canon';
  assert.equal(unchosen(one, parts(one, ['camera:canon', { kind: 'filter', field: 'camera' }]), 'camera', 'canon'), 'sea');
  assert.equal(unchosen('sea', [], 'camera', 'canon'), 'sea');
});

test('a value is known in any case of its letters', () => {
  assert.equal(chosenAt(['nikon', 'canon'], 'Canon'), 1);
  assert.equal(chosenAt([], 'Canon'), -1);
});
