// The open folder: what is in it, in order, what is selected, and what a person can do with it.
import { computed, inject, provide, ref, shallowRef, watch, type InjectionKey } from 'vue';
import { useI18n } from 'vue-i18n';
import { useRouter } from 'vue-router';
import { downloadFile } from '@/api/files';
import { isProblem } from '@/api/problem';
import type { Alias } from '@/data/db';
import { useDrive } from '@/data/drive';
import type { Item } from '@/data/project';
import * as read from '@/data/read';
import { useLive } from '@/data/useLive';
import { toast } from '@/ui/toasts';
import { prefsOf, setPrefs, type ViewPrefs } from './prefs';
import { Selection } from './selection';
import { sortItems } from './sort';
import { moveOrCopy, offerUndo, placeOf } from './transfer';

/** What was cut or copied, for all folders of this tab. */
export const clipboard = shallowRef<{ mode: 'cut' | 'copy'; items: readonly Item[] } | null>(null);

export function createFolderState(folderId: () => string) {
  const { t } = useI18n();
  const drive = useDrive();
  const router = useRouter();

  const folder = useLive(() => read.item(drive.db, folderId()), null, [folderId]);
  const crumbs = useLive(() => read.trail(drive.db, folderId()), [] as Item[], [folderId]);
  // Items and the ids they had before come in one piece: apart, an item that gets its real id would look like another one.
  const stored = useLive(
    async () => ({ items: await read.children(drive.db, folderId()), aliases: await drive.db.aliases.toArray() }),
    { items: [] as Item[], aliases: [] as Alias[] },
    [folderId],
  );
  const space = useLive(async () => (await drive.db.spaces.toArray())[0] ?? null, null);

  const prefs = computed(() => prefsOf(folderId()));
  const items = computed(() => sortItems(stored.value.items, prefs.value.sort, prefs.value.descending));
  const ids = computed(() => items.value.map((item) => item.id));
  /** A name for an item that stays when it gets its real id, so that its row (and a field in it) stays too. */
  const firstIds = computed(() => new Map(stored.value.aliases.map((alias) => [alias.real, alias.temp])));
  const keyOf = (id: string) => firstIds.value.get(id) ?? id;
  const selection = new Selection(() => ids.value);
  const selected = computed(() => items.value.filter((item) => selection.has(item.id)));
  const cursorItem = computed(() => items.value.find((item) => item.id === selection.cursor) ?? null);
  /** Where keys and menus act: the selection, or the open folder's own. */
  const renaming = ref<string | null>(null);
  const looking = ref(false);
  const deleting = shallowRef<readonly Item[]>([]);
  const moving = shallowRef<readonly Item[]>([]);
  /** Set by the view that shows: brings an item into sight, and takes the focus back. */
  const view = shallowRef<{ reveal: (id: string) => void; focus: () => void } | null>(null);
  /** Selected as soon as they appear: what was just made or pasted. */
  let awaited: { ids: readonly string[]; rename: boolean } | null = null;

  watch(folderId, () => {
    selection.only([]);
    renaming.value = null;
  });
  watch(ids, (now) => {
    const renamed = new Map(stored.value.aliases.map((alias) => [alias.temp, alias.real]));
    const present = new Set(now);
    if (renaming.value && renamed.has(renaming.value)) renaming.value = renamed.get(renaming.value) ?? null;
    selection.follow(present, renamed);
    greet(present, renamed);
  });
  function greet(present: ReadonlySet<string>, renamed: ReadonlyMap<string, string>): void {
    const wanted = awaited?.ids.map((id) => (present.has(id) ? id : (renamed.get(id) ?? id)));
    if (awaited && wanted?.every((id) => present.has(id))) {
      selection.only(wanted);
      if (awaited.rename) renaming.value = wanted[0] ?? null;
      const last = wanted.at(-1);
      if (last) view.value?.reveal(last);
      awaited = null;
    }
  }
  /** Selects items when they appear, which may have happened by the time their ids are known here. */
  function expectItems(wanted: readonly string[], rename: boolean): void {
    awaited = { ids: wanted, rename };
    greet(new Set(ids.value), new Map(stored.value.aliases.map((alias) => [alias.temp, alias.real])));
  }

  function open(item: Item): void {
    if (item.kind === 'folder') void router.push({ name: 'files', params: { folder: item.id } });
    else {
      selection.only([item.id]);
      looking.value = true;
    }
  }

  async function makeFolder(): Promise<void> {
    if (!folder.value) return;
    const temp = await drive.createFolder(folder.value, t('drive.newFolderName'));
    expectItems([temp], true);
  }

  async function rename(item: Item, name: string): Promise<void> {
    renaming.value = null;
    view.value?.focus();
    if (name === item.name) return;
    const place = placeOf(item);
    await drive.rename(item, name);
    offerUndo(t('toasts.renamed', { name }), { undo: () => drive.restorePlace([place]) });
  }

  async function transfer(what: readonly Item[], target: string, mode: 'move' | 'copy'): Promise<void> {
    const made = await moveOrCopy(drive, what, target, mode);
    if (made.length > 0 && target === folderId()) expectItems(made, false);
  }

  async function paste(): Promise<void> {
    const held = clipboard.value;
    if (!held) return;
    if (held.mode === 'cut') clipboard.value = null;
    await transfer(held.items, folderId(), held.mode === 'cut' ? 'move' : 'copy');
  }

  async function duplicate(): Promise<void> {
    expectItems(await drive.copy(selected.value, folderId(), t('actions.copy').toLocaleLowerCase()), false);
  }

  async function download(): Promise<void> {
    const files = selected.value.filter((item) => item.kind === 'file');
    if (files.length < selected.value.length) toast(t('toasts.cannotDownloadFolder'));
    for (const file of files) {
      try {
        await downloadFile(file.id, file.name);
      } catch (error) {
        toast(isProblem(error) ? error.message : t('errors.title'), { tone: 'danger' });
        return;
      }
    }
    if (files.length > 0) toast(t('toasts.downloading'));
  }

  async function remove(what: readonly Item[]): Promise<void> {
    const at = items.value.findIndex((item) => item.id === what[0]?.id);
    await drive.remove(what);
    const gone = new Set(what.map((item) => item.id));
    const next =
      items.value.slice(at).find((item) => !gone.has(item.id)) ??
      items.value.slice(0, at).findLast((item) => !gone.has(item.id));
    selection.only(next ? [next.id] : []);
  }

  return {
    drive,
    folder,
    crumbs,
    items,
    ids,
    stored,
    space,
    prefs,
    selection,
    selected,
    cursorItem,
    renaming,
    looking,
    deleting,
    moving,
    view,
    folderId,
    keyOf,
    open,
    makeFolder,
    rename,
    transfer,
    paste,
    duplicate,
    download,
    remove,
    setPrefs: (change: Partial<ViewPrefs>) => setPrefs(folderId(), change),
    awaitItems: (wanted: readonly string[]) => expectItems(wanted, false),
  };
}

export type FolderState = ReturnType<typeof createFolderState>;
const key: InjectionKey<FolderState> = Symbol('folder');

export function provideFolder(state: FolderState): FolderState {
  provide(key, state);
  return state;
}

export function useFolder(): FolderState {
  const state = inject(key);
  if (!state) throw new Error('useFolder is for components inside a DrivePage');
  return state;
}
