// Which square of a picture is shown: where its middle is, and how near one has gone.
export interface View {
  /** The middle of the square, in pixels of the picture. */
  x: number;
  y: number;
  /** 1 shows the greatest square that there is. */
  zoom: number;
}
export interface Square {
  x: number;
  y: number;
  side: number;
}

export const mostZoom = 5;

export const whole = (width: number, height: number): View => ({ x: width / 2, y: height / 2, zoom: 1 });

/** The nearest view whose square lies within the picture. */
export function within(view: View, width: number, height: number): View {
  const zoom = Math.min(mostZoom, Math.max(1, view.zoom));
  const half = Math.min(width, height) / zoom / 2;
  const between = (value: number, end: number) => Math.min(end - half, Math.max(half, value));
  return { x: between(view.x, width), y: between(view.y, height), zoom };
}

export function squareOf(view: View, width: number, height: number): Square {
  const side = Math.min(width, height) / view.zoom;
  return { x: view.x - side / 2, y: view.y - side / 2, side };
}
