import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Frame, fitScale, fitted, held, lookWords, panned, renditionSize, toggled, zoomBy, zoomTo } from '../../src/explore/zoom.ts';

const frame: Frame = { width: 1000, height: 700, photoWidth: 4000, photoHeight: 3000, dpr: 1 };

test('all of a picture fits, and small ones are not enlarged', () => {
  assert.equal(fitScale(frame), 700 / 3000);
  assert.equal(fitScale({ ...frame, dpr: 2 }), 1400 / 3000);
  assert.equal(fitScale({ ...frame, photoWidth: 300, photoHeight: 200 }), 1);
  assert.equal(fitScale({ ...frame, width: 0 }), 1);
});

test('what is under the pointer stays under it', () => {
  const look = zoomTo(frame, fitted(frame), 1, 120, -80);
  const point = (at: number, offset: number, scale: number) => (at - offset) / scale;
  assert.ok(Math.abs(point(120, 0, fitScale(frame)) - point(120, look.x, look.scale)) < 1e-9);
  assert.ok(Math.abs(point(-80, 0, fitScale(frame)) - point(-80, look.y, look.scale)) < 1e-9);
});

test('zooming ends at all of it and at eight times', () => {
  let look = fitted(frame);
  for (let i = 0; i < 30; i++) look = zoomBy(frame, look, 1);
  assert.equal(look.scale, 8);
  for (let i = 0; i < 30; i++) look = zoomBy(frame, look, -1);
  assert.deepEqual(look, fitted(frame));
});

test('a picture cannot be pushed out of the frame', () => {
  const look = panned(frame, zoomTo(frame, fitted(frame), 1), 1e6, -1e6);
  assert.equal(look.x, (4000 - 1000) / 2);
  assert.equal(look.y, -(3000 - 700) / 2);
  assert.deepEqual(panned(frame, fitted(frame), 50, 50), fitted(frame));
});

test('Z goes to every pixel and back', () => {
  const every = toggled(frame, fitted(frame));
  assert.equal(every.scale, 1);
  assert.ok(toggled(frame, every).fit);
  const small = { ...frame, photoWidth: 300, photoHeight: 200 };
  assert.equal(toggled(small, fitted(small)).scale, 2);
});

test('another frame keeps the look where it can', () => {
  const look = zoomTo(frame, fitted(frame), 1);
  assert.equal(held({ ...frame, width: 500 }, look).scale, 1);
  assert.ok(held({ ...frame, width: 9000, height: 9000 }, look).fit);
});

test('the rendition asked for is the next one above what the screen shows', () => {
  assert.equal(renditionSize(frame, fitted(frame)), 1024); // 933 px are shown
  assert.equal(renditionSize({ ...frame, dpr: 2 }, fitted({ ...frame, dpr: 2 })), 2048); // 1,866 px
  assert.equal(renditionSize(frame, zoomTo(frame, fitted(frame), 4)), 4096);
});

test('the scale is said', () => {
  assert.equal(lookWords(frame, fitted(frame)), 'Fit, 23 %');
  assert.equal(lookWords(frame, zoomTo(frame, fitted(frame), 1)), '100 %');
});
