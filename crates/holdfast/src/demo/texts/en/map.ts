// Draws the map of the network for the pole of one stop: the stop itself is always in the middle.

export interface Stop {
  id: string;
  name: string;
  lines: number[];
  at: [number, number];
}

const COLOURS: Record<number, string> = { 1: "#0b5fff", 2: "#2f6f62", 3: "#7d1d3f", 4: "#ffc400" };

/** Angles of lines are rounded to 45 degrees, so that neighbours stay parallel. */
export function snap([dx, dy]: [number, number]): [number, number] {
  const step = Math.PI / 4;
  const angle = Math.round(Math.atan2(dy, dx) / step) * step;
  const length = Math.hypot(dx, dy);
  return [Math.cos(angle) * length, Math.sin(angle) * length];
}

export function draw(stops: Stop[], here: string): string {
  const centre = stops.find((stop) => stop.id === here);
  if (!centre) throw new Error(`no stop ${here}`);
  const placed = stops.map((stop) => {
    const offset = snap([stop.at[0] - centre.at[0], stop.at[1] - centre.at[1]]);
    return { ...stop, at: offset };
  });
  const dots = placed.map(({ at: [x, y], lines, name }) => {
    const colour = COLOURS[lines[0]] ?? "#111";
    return `<circle cx="${x}" cy="${y}" r="6" fill="${colour}"/><text x="${x + 10}" y="${y + 4}">${name}</text>`;
  });
  return `<svg viewBox="-400 -400 800 800">${dots.join("")}</svg>`;
}
