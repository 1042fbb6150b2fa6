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
/** What a list of items of many folders says of them beyond what they are: what was done with them, and by and with whom. */
export type NoteKey = 'did' | 'who' | 'role' | 'since';
/** Where an item is has a column only where items of many folders stand together. */
export type ColumnKey = (typeof columnKeys)[number] | 'where' | NoteKey;

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

/** What was kept by this or another version of the page, made whole: with what is `otherwise`, and these columns alone. */
export function sane(
  kept: unknown,
  otherwise: ViewPrefs = fresh,
  columns: readonly ColumnKey[] = columnKeys,
): ViewPrefs {
  const it = (typeof kept === 'object' && kept !== null ? kept : {}) as Partial<Record<keyof ViewPrefs, unknown>>;
  return {
    view: oneOf(views, it.view, otherwise.view),
    sort: oneOf<ViewPrefs['sort']>(sortKeys, it.sort, otherwise.sort),
    descending: typeof it.descending === 'boolean' ? it.descending : otherwise.descending,
    group: oneOf(groupings, it.group, otherwise.group),
    columns: Array.isArray(it.columns)
      ? columns.filter((column) => (it.columns as unknown[]).includes(column))
      : otherwise.columns,
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
