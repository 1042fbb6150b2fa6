// Where a place of the world is on the map: Gall's stereographic projection, which keeps the north from growing as much as
// it does for sailors, without its far south, where nobody has a server.

/** The map in its own units; the same in the picture, whatever its size on the page. */
export const map = { width: 1000, height: 506 } as const;
const north = 83;
const south = -56;

const rise = (latitude: number) => Math.tan((latitude * Math.PI) / 360);
const top = rise(north);
const bottom = rise(south);

/** `[x, y]` in the units of the map. What lies beyond its edges is put on them. */
export function place(longitude: number, latitude: number): [x: number, y: number] {
  const x = ((longitude + 180) / 360) * map.width;
  const y = ((top - rise(latitude)) / (top - bottom)) * map.height;
  return [Math.min(map.width, Math.max(0, x)), Math.min(map.height, Math.max(0, y))];
}

/** The way back: `[longitude, latitude]`. */
export function locate(x: number, y: number): [longitude: number, latitude: number] {
  const height = top - (y / map.height) * (top - bottom);
  return [(x / map.width) * 360 - 180, (Math.atan(height) * 360) / Math.PI];
}
