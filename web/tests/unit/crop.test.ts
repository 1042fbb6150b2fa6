// The square of a picture that is chosen: always whole, wherever one drags it.
import { expect, it } from 'vitest';
import { mostZoom, squareOf, whole, within } from '@/features/settings/crop';

it('begins with the greatest square in the middle', () => {
  expect(squareOf(whole(1200, 800), 1200, 800)).toEqual({ x: 200, y: 0, side: 800 });
  expect(squareOf(whole(90, 300), 90, 300)).toEqual({ x: 0, y: 105, side: 90 });
});

it.each([
  [
    { x: -500, y: 5_000, zoom: 1 },
    { x: 0, y: 0, side: 800 },
  ],
  [
    { x: 9_000, y: 9_000, zoom: 2 },
    { x: 800, y: 400, side: 400 },
  ],
  [
    { x: 600, y: 400, zoom: 0.1 },
    { x: 200, y: 0, side: 800 },
  ],
  [
    { x: 600, y: 400, zoom: 1_000 },
    { x: 600 - 400 / mostZoom, y: 400 - 400 / mostZoom, side: 800 / mostZoom },
  ],
])('stays within the picture: %o', (view, square) => {
  expect(squareOf(within(view, 1200, 800), 1200, 800)).toEqual(square);
});
