// The columns of the list: how wide each is, and which give way when there is no room for all.
import type { ColumnKey } from './prefs';

const widths: Record<ColumnKey, number> = {
  where: 220,
  did: 176,
  who: 184,
  role: 208,
  since: 128,
  modified: 160,
  created: 160,
  kind: 124,
  type: 176,
  size: 88,
};
const gap = 12;
/** Below this a name says too little. */
const leastName = 232;
/** Who goes first when it gets narrow. The size stays: it is short, and what people look for on a phone. */
const giveWay: readonly ColumnKey[] = ['type', 'kind', 'created', 'modified', 'where', 'since', 'role'];
/** What a list is there to tell stays even before the size. */
const stays: ReadonlySet<ColumnKey> = new Set(['did', 'who']);

export function fitColumns(chosen: readonly ColumnKey[], width: number): ColumnKey[] {
  let columns = [...chosen];
  const taken = () => columns.reduce((sum, column) => sum + widths[column] + gap, leastName);
  const going = chosen.some((column) => stays.has(column)) ? [...giveWay, 'size' as const] : giveWay;
  for (const column of going) {
    if (width === 0 || taken() <= width) break;
    columns = columns.filter((one) => one !== column);
  }
  return columns;
}

/** Those whose texts are of any length take more where there is more: of the room beside the name, these shares. */
const grows: Partial<Record<ColumnKey, number>> = { where: 0.45, who: 0.5, role: 0.55 };
/** On a phone what a list is there to tell shares the line with the name. */
const narrow = 480;

export function templateOf(columns: readonly ColumnKey[], width: number): string {
  const one = (column: ColumnKey) => {
    if (stays.has(column) && width > 0 && width < narrow) return 'minmax(0, 0.7fr)';
    if (column === 'size' && width > 0 && width < narrow) return '72px';
    return grows[column] ? `minmax(${widths[column]}px, ${grows[column]}fr)` : `${widths[column]}px`;
  };
  return ['minmax(0, 1fr)', ...columns.map(one)].join(' ');
}
