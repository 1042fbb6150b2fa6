// Makes `src/ui/map/land.ts`, the land of the world as a grid of dots, from Natural Earth (public domain) as the package
// `world-atlas` has it: node scripts/land.mjs PATH/TO/land-110m.json. It is run by hand; its outcome is in the repository.
import { readFileSync, writeFileSync } from 'node:fs';
import { locate, map } from '../src/ui/map/projection.ts';

const columns = 160;
const rows = Math.round((columns * map.height) / map.width);
const { arcs, transform, objects } = JSON.parse(readFileSync(process.argv[2], 'utf8'));

/** The points of an arc: each is told by its distance from the one before. */
const decoded = arcs.map((arc) => {
  let [x, y] = [0, 0];
  return arc.map(([dx, dy]) => {
    x += dx;
    y += dy;
    return [x * transform.scale[0] + transform.translate[0], y * transform.scale[1] + transform.translate[1]];
  });
});
/** A coast goes on beyond the 180th degree, where the data begins anew on the other side. */
function ringOf(indexes) {
  let turns = 0;
  let last = null;
  return indexes
    .flatMap((index) => (index < 0 ? decoded[~index].toReversed() : decoded[index]))
    .map(([x, y]) => {
      if (last !== null && Math.abs(x - last) > 180) turns += x < last ? 360 : -360;
      last = x;
      return [x + turns, y];
    });
}
const rings = objects.land.geometries
  .flatMap(({ type, arcs: shape }) => (type === 'Polygon' ? [shape] : shape))
  .flatMap((polygon) => polygon.map(ringOf));

/** Whether a point is on land: a line to the west crosses the coasts an odd number of times. */
function onLand(longitude, latitude) {
  let inside = false;
  for (const ring of rings) {
    for (let at = 0, before = ring.length - 1; at < ring.length; before = at++) {
      const [x1, y1] = ring[at];
      const [x2, y2] = ring[before];
      if (y1 > latitude !== y2 > latitude && longitude < ((x2 - x1) * (latitude - y1)) / (y2 - y1) + x1)
        inside = !inside;
    }
  }
  return inside;
}
/** A coast and the sea within it may have been told on different sides of that degree. */
const anyTurn = (longitude, latitude) =>
  [-360, 0, 360].filter((turn) => onLand(longitude + turn, latitude)).length % 2 === 1;
const step = map.width / columns;
const lines = Array.from({ length: rows }, (_, row) => {
  let line = '';
  for (let column = 0; column < columns; column += 4) {
    let four = 0;
    for (let at = 0; at < 4; at += 1)
      four = four * 2 + Number(anyTurn(...locate((column + at + 0.5) * step, (row + 0.5) * step)));
    line += four.toString(16);
  }
  return line;
});
writeFileSync(
  new URL('../src/ui/map/land.ts', import.meta.url),
  `// Where there is land, a row of the map on each line, a bit for each dot. Made by scripts/land.mjs from Natural Earth's
// land at 1:110 million, which is in the public domain.
export const columns = ${columns};
export const rows: readonly string[] = [
${lines.map((line) => `  '${line}',`).join('\n')}
];
`,
);
