// Where items lie in a view, by arithmetic: rows that are not in the page have a place too.

export interface Rect {
  left: number;
  top: number;
  right: number;
  bottom: number;
}

export interface Layout {
  /** Items in one line: 1 in a list. */
  columns: number;
  /** The places of the items that a rectangle touches, in order. */
  indexesIn(rect: Rect): number[];
}

export function listLayout(count: number, rowHeight: number, top: number): Layout {
  return {
    columns: 1,
    indexesIn(rect) {
      const first = Math.max(0, Math.floor((rect.top - top) / rowHeight));
      const last = Math.min(count - 1, Math.floor((rect.bottom - top) / rowHeight));
      return range(first, last);
    },
  };
}

export interface Tiles {
  columns: number;
  tileWidth: number;
  tileHeight: number;
  gap: number;
  pad: number;
}

export function gridLayout(count: number, tiles: Tiles): Layout {
  const { columns, tileWidth, tileHeight, gap, pad } = tiles;
  return {
    columns,
    indexesIn(rect) {
      const hits: number[] = [];
      const firstRow = Math.max(0, Math.floor((rect.top - pad) / (tileHeight + gap)));
      const lastRow = Math.min(Math.ceil(count / columns) - 1, Math.floor((rect.bottom - pad) / (tileHeight + gap)));
      for (let row = firstRow; row <= lastRow; row += 1) {
        const top = pad + row * (tileHeight + gap);
        if (rect.bottom < top || rect.top > top + tileHeight) continue;
        for (let column = 0; column < columns; column += 1) {
          const left = pad + column * (tileWidth + gap);
          const index = row * columns + column;
          if (index < count && rect.right >= left && rect.left <= left + tileWidth) hits.push(index);
        }
      }
      return hits;
    },
  };
}

/** As many tiles of about the wished width as fit, stretched to fill the line. */
export function fitTiles(width: number, wished: number, count: number): Tiles {
  const gap = 4;
  const pad = 12;
  const room = Math.max(wished, width - pad * 2);
  const columns = Math.max(1, Math.floor((room + gap) / (wished + gap)));
  const stretched = Math.floor((room - gap * (columns - 1)) / columns);
  const tileWidth = count < columns ? Math.min(stretched, Math.round(wished * 1.15)) : stretched;
  return { columns, tileWidth, tileHeight: Math.round(wished * 0.82) + 52, gap, pad };
}

function range(first: number, last: number): number[] {
  return last < first ? [] : Array.from({ length: last - first + 1 }, (_, at) => first + at);
}
