// The order of a folder: in groups where they are wanted, folders first, then by what was asked for, names deciding what
// is equal.
import type { Item } from '@/data/project';
import { kindOf, type Kind } from '@/lib/kinds';
import { compareNames } from '@/lib/names';
import type { Grouping, ViewPrefs } from './prefs';

export type Age = 'today' | 'yesterday' | 'week' | 'month' | 'year' | 'earlier';
export type GroupKey = Kind | Age | 'all';

/** Items of one group, which stand together in the order. */
export interface Section {
  key: GroupKey;
  /** The place of the first of them. */
  from: number;
  count: number;
}

const ages: readonly Age[] = ['today', 'yesterday', 'week', 'month', 'year', 'earlier'];
const kinds: readonly Kind[] = [
  'folder',
  'image',
  'video',
  'audio',
  'pdf',
  'document',
  'sheet',
  'slides',
  'text',
  'code',
  'archive',
  'font',
  'file',
];
const dayMs = 86_400_000;

/** How long ago by the calendar of this device, as people say it. */
export function ageOf(at: string, now: number): Age {
  const midnight = new Date(now).setHours(0, 0, 0, 0);
  const time = new Date(at).getTime();
  if (time >= midnight) return 'today';
  if (time >= midnight - dayMs) return 'yesterday';
  if (time >= midnight - 6 * dayMs) return 'week';
  if (time >= midnight - 29 * dayMs) return 'month';
  return new Date(time).getFullYear() === new Date(now).getFullYear() ? 'year' : 'earlier';
}

function rankOf(item: Item, group: Grouping, now: number): number {
  if (group === 'kind') return kinds.indexOf(kindOf(item));
  if (group === 'date') return ages.indexOf(ageOf(item.modified_at, now));
  return 0;
}

export interface Order {
  sort: ViewPrefs['sort'];
  descending: boolean;
  group?: Grouping;
}

const text = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);
const comparers: Record<ViewPrefs['sort'], (a: Item, b: Item) => number> = {
  rank: () => 0,
  name: () => 0,
  size: (a, b) => (a.size ?? 0) - (b.size ?? 0),
  modified: (a, b) => text(a.modified_at, b.modified_at),
  created: (a, b) => text(a.created_at, b.created_at),
  kind: (a, b) => text(kindOf(a), kindOf(b)),
};

export function sortItems(items: readonly Item[], order: Order, now: number = Date.now()): Item[] {
  const sign = order.descending ? -1 : 1;
  const compare = comparers[order.sort];
  const group = order.group ?? 'none';
  const ranks = group === 'none' ? null : new Map(items.map((item) => [item.id, rankOf(item, group, now)]));
  return [...items].sort(
    (a, b) =>
      (ranks ? ranks.get(a.id)! - ranks.get(b.id)! : 0) ||
      (a.kind === b.kind ? 0 : a.kind === 'folder' ? -1 : 1) ||
      sign * compare(a, b) ||
      (order.sort === 'name' ? sign : 1) * compareNames(a.name, b.name),
  );
}

/** The groups of items that are in their order already. Without grouping all are one. */
export function sectionsOf(items: readonly Item[], group: Grouping, now: number = Date.now()): Section[] {
  if (group === 'none') return items.length > 0 ? [{ key: 'all', from: 0, count: items.length }] : [];
  const sections: Section[] = [];
  for (const [index, item] of items.entries()) {
    const key = group === 'kind' ? kindOf(item) : ageOf(item.modified_at, now);
    const last = sections.at(-1);
    if (last?.key === key) last.count += 1;
    else sections.push({ key, from: index, count: 1 });
  }
  return sections;
}
