// How a person likes to see each folder. Kept on this device; a folder that was never touched looks like the last one that was.
import { reactive } from 'vue';

export type SortKey = 'name' | 'size' | 'modified' | 'kind';
export interface ViewPrefs {
  view: 'list' | 'grid';
  sort: SortKey;
  descending: boolean;
}

const key = 'holdfast.views';
/** Folders that are remembered; the ones untouched for longest are forgotten first. */
const maxFolders = 300;

interface Stored {
  common: ViewPrefs;
  folders: Record<string, ViewPrefs>;
}

function load(): Stored {
  const fresh: Stored = { common: { view: 'list', sort: 'name', descending: false }, folders: {} };
  try {
    return { ...fresh, ...(JSON.parse(localStorage.getItem(key) ?? '{}') as Partial<Stored>) };
  } catch {
    return fresh;
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
