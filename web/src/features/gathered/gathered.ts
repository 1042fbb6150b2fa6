// A list of items that were gathered from many folders, and how it becomes a place of the drive: with the same views, keys
// and actions as a folder.
import { computed, shallowRef, type Component, type Ref } from 'vue';
import type { Problem } from '@/api/problem';
import type { Item } from '@/data/project';
import { columnKeys, sortItems, type ColumnKey, type NoteKey, type Place, type ViewPrefs } from '@/features/drive';
import { useListPrefs, useTotalsOfEach } from '@/features/drive/later';

export interface Gathered {
  name: string;
  title: () => string;
  /** In the order of the list itself; null while nobody knows. */
  items: Readonly<Ref<readonly Item[] | null>>;
  /** Why the list could not be asked for. */
  problem: Readonly<Ref<Problem | null>>;
  load: () => void;
  notes?: Place['notes'];
  rank?: string;
  /** How it looks to who never changed that. */
  fresh: Pick<ViewPrefs, 'sort' | 'columns'>;
  empty: () => { icon: Component; title: string; hint: string };
  /** What to say where the list cannot be asked for without a connection. */
  offline: () => string;
}

export function placeOf(list: Gathered): Place {
  const columns: ColumnKey[] = ['where', ...(Object.keys(list.notes ?? {}) as NoteKey[]), ...columnKeys];
  const start: ViewPrefs = { view: 'list', descending: false, group: 'none', ...list.fresh };
  const { prefs, setPrefs } = useListPrefs(list.name, start, columns);
  const loaded = computed(() => list.items.value !== null);
  const live = <T>(value: Readonly<Ref<T>>) => Object.assign(value, { loaded });
  const items = computed(() => {
    const own = list.items.value ?? [];
    if (prefs.value.sort !== 'rank') return sortItems(own, prefs.value);
    return prefs.value.descending ? own.toReversed() : own;
  });
  return {
    id: () => list.name,
    title: list.title,
    folder: live(shallowRef(null)),
    crumbs: live(shallowRef<readonly Item[]>([])),
    stored: live(computed(() => ({ items: items.value, aliases: [] }))),
    items,
    totals: useTotalsOfEach(items),
    space: live(shallowRef(null)),
    prefs,
    setPrefs,
    views: ['list', 'grid'],
    columns,
    notes: list.notes,
    rank: list.rank,
    keepView: () => undefined,
  };
}
