import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatRoute, homeOf, isExplore, parseRoute } from '../src/routes.ts';
import { snapshot } from './job.ts';

test('every address is read and written back the same', () => {
  for (const address of ['/', '/start', '/loading', '/error', '/search', '/search?q=a+dog', '/search?q=%2Bred+-%28people+at+night%29&sort=-date', '/similar', '/similar?ids=12,7', '/similar?ids=12&path=%2Fhome%2Fa.jpg&path=b.jpg&q=at+night', '/similar?q=dusk', '/photo/12']) {
    assert.equal(formatRoute(parseRoute(address)), address);
  }
});

test('a query is any text, and a sort is one of seven', () => {
  assert.deepEqual(parseRoute('/search?q=a%26b%3D%C3%A9&sort=name'), { view: 'search', q: 'a&b=é', sort: 'name' });
  assert.deepEqual(parseRoute('/search?sort=-size'), { view: 'search', q: '', sort: '-size' });
  assert.deepEqual(parseRoute('/search?sort=colour'), { view: 'search', q: '', sort: null });
});

test('ids are whole, positive and named once', () => {
  assert.deepEqual(parseRoute('/similar?ids=3,x,-1,0,3,9'), { view: 'similar', ids: [3, 9], paths: [], q: '' });
  assert.equal(parseRoute('/photo/0').view, 'unknown');
  assert.equal(parseRoute('/photo/12x').view, 'unknown');
  assert.equal(parseRoute('/photo/99999999999999999').view, 'unknown');
});

test('a slash at the end is no other page, another word is', () => {
  assert.equal(parseRoute('/start/').view, 'start');
  assert.deepEqual(parseRoute('/setting'), { view: 'unknown', path: '/setting' });
});

test('explore has search, similar and photo', () => {
  assert.deepEqual(['/', '/start', '/search', '/similar', '/photo/1'].map((address) => isExplore(parseRoute(address))), [false, false, true, true, true]);
});

test('the first address waits a moment for a library that is being opened', () => {
  const opening = snapshot({ preparation: [{ name: 'catalogue', state: 'working', ms: null, message: null }] });
  assert.equal(homeOf(opening, true), null);
  assert.deepEqual(homeOf(opening, false), { view: 'start' });
  const opened = snapshot({ preparation: [{ name: 'catalogue', state: 'ready', ms: 2, message: null }] });
  assert.deepEqual(homeOf(opened, true), { view: 'start' });
  assert.deepEqual(homeOf(snapshot({ ...opening, state: 'LOADING' }), true), { view: 'loading' });
  assert.deepEqual(homeOf(snapshot({ state: 'ADVANCED' }), true), { view: 'search', q: '', sort: null });
  assert.deepEqual(homeOf(snapshot({ ...opening, state: 'ERROR' }), true), { view: 'error' });
});
