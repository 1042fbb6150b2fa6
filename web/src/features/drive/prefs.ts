// How a person likes to see each folder. Kept on this device; a folder that was never touched looks like the last one that was.
import { reactive } from 'vue';

export const views = ['list', 'grid', 'columns', 'gallery'] as const;
export type View = (typeof views)[number];
export const sortKeys = ['name', 'modified', 'created', 'kind', 'size'] as const;
export type SortKey = (typeof sortKeys)[number];
export const groupings = ['none', 'kind', 'date'] as const;
export type Grouping = (typeof groupings)[number];
/** The columns of the list beside the name, in the order in which they stand. */
export const columnKeys = ['modified', 'created', 'kind', 'type', 'size'] as const;
/** Where an item is has a column only where items of many folders stand together. */
export type ColumnKey = (typeof columnKeys)[number] | 'where';

export interface ViewPrefs {
  view: View;
  /** `rank` is the order of a search, in which what fits best comes first. */
  sort: SortKey | 'rank';
  descending: boolean;
  group: Grouping;
  columns: readonly ColumnKey[];
}

const key = 'holdfast.views';
/** Folders that are remembered; the ones untouched for longest are forgotten first. */
const maxFolders = 300;
const fresh: ViewPrefs = {
  view: 'list',
  sort: 'name',
  descending: false,
  group: 'none',
  columns: ['modified', 'kind', 'size'],
};

interface Stored {
  common: ViewPrefs;
  folders: Record<string, ViewPrefs>;
}

const oneOf = <T>(known: readonly T[], value: unknown, otherwise: T): T =>
  known.includes(value as T) ? (value as T) : otherwise;

/** What was kept by this or another version of the page, made whole. */
export function sane(kept: unknown): ViewPrefs {
  const it = (typeof kept === 'object' && kept !== null ? kept : {}) as Partial<Record<keyof ViewPrefs, unknown>>;
  return {
    view: oneOf(views, it.view, fresh.view),
    sort: oneOf(sortKeys, it.sort, fresh.sort),
    descending: it.descending === true,
    group: oneOf(groupings, it.group, fresh.group),
    columns: Array.isArray(it.columns)
      ? columnKeys.filter((column) => (it.columns as unknown[]).includes(column))
      : fresh.columns,
  };
}

function load(): Stored {
  try {
    const kept = JSON.parse(localStorage.getItem(key) ?? '{}') as { common?: unknown; folders?: object };
    return {
      common: sane(kept.common),
      folders: Object.fromEntries(Object.entries(kept.folders ?? {}).map(([id, prefs]) => [id, sane(prefs)])),
    };
  } catch {
    return { common: fresh, folders: {} };
  }
}

const stored = reactive(load());

export function prefsOf(folder: string): ViewPrefs {
  return stored.folders[folder] ?? stored.common;
}

export function setPrefs(folder: string, change: Partial<ViewPrefs>): void {
  const next = { ...prefsOf(folder), ...change };
  delete stored.folders[folder];
  stored.folders[folder] = next;
  stored.common = next;
  const ids = Object.keys(stored.folders);
  for (const id of ids.slice(0, Math.max(0, ids.length - maxFolders))) delete stored.folders[id];
  localStorage.setItem(key, JSON.stringify(stored));
}
