// What items of the drive are shown together: those of a folder here, those of a search elsewhere. The rest of the drive
// (selection, actions, views) is the same for both.
import { computed, ref, type Component, type Ref } from 'vue';
import type { Alias, SpaceRow } from '@/data/db';
import { useDrive } from '@/data/drive';
import type { Item } from '@/data/project';
import * as read from '@/data/read';
import { useLive } from '@/data/useLive';
import { columnKeys, prefsOf, setPrefs, views, type ColumnKey, type NoteKey, type View, type ViewPrefs } from './prefs';
import { useRole } from './role';
import { sortItems } from './sort';
import type { Total } from './totals';

type Live<T> = Readonly<Ref<T>> & { loaded: Readonly<Ref<boolean>> };

/** A column of what only this list knows of its items. */
export interface Note {
  head: () => string;
  text: (item: Item) => string;
  /** What is read where the text says less than is known. */
  title?: (item: Item) => string | undefined;
  /** Shown in place of the text; gets the item. */
  cell?: Component;
}

export interface Place {
  /** The open folder; of a search, what stands in its place as a key. */
  id: () => string;
  /** What it is called, where that is not the name of the folder. */
  title?: () => string;
  folder: Live<Item | null>;
  crumbs: Live<readonly Item[]>;
  /** Items and the ids they had before come in one piece: apart, an item that gets its real id would look like another one. */
  stored: Live<{ items: readonly Item[]; aliases: readonly Alias[] }>;
  items: Readonly<Ref<readonly Item[]>>;
  /** How much is in the folders among them; absent where that is told of the open folder. */
  totals?: Readonly<Ref<ReadonlyMap<string, Total>>>;
  /** Without a cursor, folders may look emptier than they are. */
  space: Live<SpaceRow | null>;
  /** What may be changed here; absent where that differs from item to item. */
  canEdit?: Readonly<Ref<boolean>>;
  prefs: Readonly<Ref<ViewPrefs>>;
  setPrefs: (change: Partial<ViewPrefs>) => void;
  views: readonly View[];
  columns: readonly ColumnKey[];
  notes?: Partial<Record<NoteKey, Note>>;
  /** Key of the name of the order that the list has by itself; absent where it has none. */
  rank?: string;
  /** Going to another folder keeps the view; says that it may change again. */
  keepView: (folder: string | null) => void;
}

export function folderPlace(id: () => string): Place {
  const drive = useDrive();
  const stored = useLive(
    async () => ({ items: await read.children(drive.db, id()), aliases: await drive.db.aliases.toArray() }),
    { items: [] as Item[], aliases: [] as Alias[] },
    [id],
  );
  const space = useLive(
    async () => {
      const item = await read.item(drive.db, id());
      const { spaces } = drive.db;
      // Nobody knows yet what is in a space that is still to be learned.
      const hidden = item ? undefined : await spaces.filter((space) => !space.cursor).first();
      return hidden ?? (await spaces.get(item?.space_id ?? drive.user.space_id)) ?? null;
    },
    null,
    [id],
  );
  /** Going from column to column does not leave the columns, whatever the next folder was last seen as. */
  const kept = ref<{ folder: string; view: View } | null>(null);
  const prefs = computed(() => {
    const own = prefsOf(id());
    const seen = kept.value?.folder === id() ? { ...own, view: kept.value.view } : own;
    // Only what is read from top to bottom has room for headings.
    return seen.view === 'list' || seen.view === 'grid' ? seen : { ...seen, group: 'none' as const };
  });
  return {
    id,
    folder: useLive(() => read.item(drive.db, id()), null, [id]),
    crumbs: useLive(() => read.trail(drive.db, id()), [] as Item[], [id]),
    stored,
    items: computed(() => sortItems(stored.value.items, prefs.value)),
    space,
    canEdit: useRole(id).canEdit,
    prefs,
    setPrefs: (change) => {
      kept.value = null;
      setPrefs(id(), change);
    },
    views,
    columns: columnKeys,
    keepView: (folder) => (kept.value = folder === null ? null : { folder, view: prefs.value.view }),
  };
}
