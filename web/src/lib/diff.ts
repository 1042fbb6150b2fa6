// Two texts side by side: which lines both have, and which only one of them. Nothing here knows where they come from.

export interface DiffRow {
  /** The line of each side; null where that side has none. */
  mine: string | null;
  theirs: string | null;
  same: boolean;
}
/** A run of lines, with the middle of long equal ones left out. */
export type DiffPart = DiffRow | { left: number };

/** Beyond this many pairs of lines the two are shown as one changed block: the table would cost more than it tells. */
const maxCells = 4_000_000;

const linesOf = (text: string): string[] => (text === '' ? [] : text.replace(/\r?\n$/, '').split(/\r?\n/));

/** For each pair of ends, how many lines are common to them: the longest common subsequence, from behind. */
function commonTable(a: readonly string[], b: readonly string[]): Uint32Array {
  const width = b.length + 1;
  const table = new Uint32Array((a.length + 1) * width);
  for (let i = a.length - 1; i >= 0; i -= 1)
    for (let j = b.length - 1; j >= 0; j -= 1)
      table[i * width + j] =
        a[i] === b[j]
          ? table[(i + 1) * width + j + 1]! + 1
          : Math.max(table[(i + 1) * width + j]!, table[i * width + j + 1]!);
  return table;
}

export function diffLines(mine: string, theirs: string): DiffRow[] {
  const [a, b] = [linesOf(mine), linesOf(theirs)];
  const rows: DiffRow[] = [];
  let onlyMine: string[] = [];
  let onlyTheirs: string[] = [];
  const flush = () => {
    for (let at = 0; at < Math.max(onlyMine.length, onlyTheirs.length); at += 1)
      rows.push({ mine: onlyMine[at] ?? null, theirs: onlyTheirs[at] ?? null, same: false });
    onlyMine = [];
    onlyTheirs = [];
  };
  const same = (line: string) => {
    flush();
    rows.push({ mine: line, theirs: line, same: true });
  };
  // What both begin and end with is the most of most texts.
  let head = 0;
  while (head < a.length && head < b.length && a[head] === b[head]) head += 1;
  let tail = 0;
  while (tail < a.length - head && tail < b.length - head && a.at(-1 - tail) === b.at(-1 - tail)) tail += 1;
  for (const line of a.slice(0, head)) same(line);
  const [x, y] = [a.slice(head, a.length - tail), b.slice(head, b.length - tail)];
  if ((x.length + 1) * (y.length + 1) > maxCells) {
    onlyMine = x;
    onlyTheirs = y;
  } else {
    const table = commonTable(x, y);
    const width = y.length + 1;
    let i = 0;
    let j = 0;
    while (i < x.length || j < y.length) {
      if (i < x.length && j < y.length && x[i] === y[j]) {
        same(x[i]!);
        i += 1;
        j += 1;
      } else if (j >= y.length || (i < x.length && table[(i + 1) * width + j]! >= table[i * width + j + 1]!)) {
        onlyMine.push(x[i]!);
        i += 1;
      } else {
        onlyTheirs.push(y[j]!);
        j += 1;
      }
    }
  }
  flush();
  for (const line of a.slice(a.length - tail)) same(line);
  return rows;
}

/** Leaves out what is the same and further than `near` lines from any difference, where that is worth a line. */
export function folded(rows: readonly DiffRow[], near = 3): DiffPart[] {
  const shown = rows.map(() => false);
  for (const [at, row] of rows.entries())
    if (!row.same)
      for (let by = Math.max(0, at - near); by <= Math.min(rows.length - 1, at + near); by += 1) shown[by] = true;
  const parts: DiffPart[] = [];
  for (let at = 0; at < rows.length; at += 1) {
    let end = at;
    while (end < rows.length && !shown[end]) end += 1;
    if (end - at > 1) {
      parts.push({ left: end - at });
      at = end - 1;
    } else parts.push(rows[at]!);
  }
  return parts;
}
