// The order of a folder: folders first, then by what was asked for, names deciding what is equal.
import type { Item } from '@/data/project';
import { kindOf } from '@/lib/kinds';
import { compareNames } from '@/lib/names';
import type { SortKey } from './prefs';

export function sortItems(items: readonly Item[], key: SortKey, descending: boolean): Item[] {
  const by: Record<SortKey, (a: Item, b: Item) => number> = {
    name: () => 0,
    size: (a, b) => (a.size ?? 0) - (b.size ?? 0),
    modified: (a, b) => (a.modified_at < b.modified_at ? -1 : a.modified_at > b.modified_at ? 1 : 0),
    kind: (a, b) => kindOf(a).localeCompare(kindOf(b)),
  };
  const sign = descending ? -1 : 1;
  const compare = by[key];
  return [...items].sort(
    (a, b) =>
      (a.kind === b.kind ? 0 : a.kind === 'folder' ? -1 : 1) ||
      sign * compare(a, b) ||
      (key === 'name' ? sign : 1) * compareNames(a.name, b.name),
  );
}
