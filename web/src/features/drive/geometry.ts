// Where items lie in a view, by arithmetic: rows that are not in the page have a place too.
import type { GroupKey, Section } from './sort';

export interface Rect {
  left: number;
  top: number;
  right: number;
  bottom: number;
}

/** The measures of the cells of a view; a list has one cell a line, as wide as the line. */
export interface Cells {
  columns: number;
  width: number;
  height: number;
  gap: number;
  /** Free space before the first cell of a line. */
  start: number;
}

export type Line =
  | { head: GroupKey; count: number; top: number; height: number }
  /** `from` is the place of its first item in the order. */
  | { head: null; from: number; count: number; top: number; height: number };

/** The lines of a view: headings of groups, and lines of items. */
export class Layout {
  readonly lines: readonly Line[];
  /** The numbers of the lines that hold items. */
  private readonly rows: readonly number[];

  constructor(
    sections: readonly Section[],
    readonly cells: Cells,
    /** Where the first line begins, and how high a heading is; groups have headings when there is more to tell than "all". */
    top: number,
    headHeight: number,
  ) {
    const lines: Line[] = [];
    const { columns, height, gap } = cells;
    let at = top;
    for (const section of sections) {
      if (section.key !== 'all') {
        lines.push({ head: section.key, count: section.count, top: at, height: headHeight });
        at += headHeight;
      }
      for (let done = 0; done < section.count; done += columns) {
        const count = Math.min(columns, section.count - done);
        lines.push({ head: null, from: section.from + done, count, top: at, height: height + gap });
        at += height + gap;
      }
    }
    this.lines = lines;
    this.rows = lines.flatMap((line, number) => (line.head === null ? [number] : []));
  }

  /** The number of the line that holds an item; -1 when there is none. */
  lineOf(index: number): number {
    let low = 0;
    let high = this.rows.length - 1;
    while (low <= high) {
      const middle = (low + high) >> 1;
      const at = this.rows[middle]!;
      const line = this.lines[at]!;
      if (line.head !== null || index < line.from) high = middle - 1;
      else if (index >= line.from + line.count) low = middle + 1;
      else return at;
    }
    return -1;
  }

  /** The item one line above or below, in the same column or the last one there is. */
  beside(index: number, direction: 1 | -1): number {
    const at = this.lineOf(index);
    if (at < 0) return index;
    const from = this.lines[at]!;
    const column = from.head === null ? index - from.from : 0;
    for (let next = at + direction; next >= 0 && next < this.lines.length; next += direction) {
      const line = this.lines[next]!;
      if (line.head === null) return line.from + Math.min(column, line.count - 1);
    }
    return index;
  }

  /** The places of the items that a rectangle touches, in order. */
  indexesIn(rect: Rect): number[] {
    const { width, height, gap, start } = this.cells;
    const hits: number[] = [];
    for (const line of this.lines) {
      if (line.top > rect.bottom) break;
      if (line.head !== null || rect.top > line.top + height) continue;
      for (let column = 0; column < line.count; column += 1) {
        // The one cell of a list has no end.
        const left = column === 0 ? start : start + column * (width + gap);
        if (rect.right >= left && rect.left <= left + width) hits.push(line.from + column);
      }
    }
    return hits;
  }
}

/** As many tiles of about the wished width as fit, stretched to fill the line. */
export function fitTiles(width: number, wished: number, count: number): Cells {
  const gap = 4;
  const start = 12;
  const room = Math.max(wished, width - start * 2);
  const columns = Math.max(1, Math.floor((room + gap) / (wished + gap)));
  const stretched = Math.floor((room - gap * (columns - 1)) / columns);
  const tile = count < columns ? Math.min(stretched, Math.round(wished * 1.15)) : stretched;
  return { columns, width: tile, height: Math.round(wished * 0.82) + 64, gap, start };
}
