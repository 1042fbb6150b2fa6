// Where the names of places stand on the map, so that none covers another or leaves the picture.

export interface Labelled {
  id: string;
  x: number;
  y: number;
  /** Of the name, in the units of the map. */
  width: number;
  height: number;
}
export interface Spot {
  id: string;
  /** The upper corner at the start of the name. */
  x: number;
  y: number;
}
interface Box {
  x: number;
  y: number;
  width: number;
  height: number;
}
const meet = (a: Box, b: Box) =>
  a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height;

/**
 * A spot beside each point: at its end, at its start, above or below, whichever is free first. A name that has no room
 * anywhere gets none; it is in the list beside the map all the same.
 */
export function placeLabels(
  points: readonly Labelled[],
  bounds: { width: number; height: number },
  gap: number,
): Spot[] {
  const taken: Box[] = points.map(({ x, y }) => ({ x: x - gap, y: y - gap, width: gap * 2, height: gap * 2 }));
  return points.flatMap(({ id, x, y, width, height }) => {
    const sides = [
      { x: x + gap, y: y - height / 2 },
      { x: x - gap - width, y: y - height / 2 },
      { x: x - width / 2, y: y - gap - height },
      { x: x - width / 2, y: y + gap },
      { x: x + gap, y: y - gap - height },
      { x: x + gap, y: y + gap },
      { x: x - gap - width, y: y - gap - height },
      { x: x - gap - width, y: y + gap },
    ];
    const spot = sides.find((side) => {
      const box = { ...side, width, height };
      const inside = box.x >= 0 && box.y >= 0 && box.x + width <= bounds.width && box.y + height <= bounds.height;
      return inside && !taken.some((other) => meet(box, other));
    });
    if (!spot) return [];
    taken.push({ ...spot, width, height });
    return [{ id, ...spot }];
  });
}
