// What is shown: a folder, or what a search found, in order; what is selected, and what a person can do with it.
import { computed, inject, provide, ref, shallowReactive, shallowRef, watch, type InjectionKey } from 'vue';
import { useI18n } from 'vue-i18n';
import { useRouter } from 'vue-router';
import type { KeptUse } from '@/data/db';
import { drive as signedIn, useDrive } from '@/data/drive';
import { keptUse } from '@/data/keep';
import { tagIndex } from '@/data/marks';
import type { Item } from '@/data/project';
import * as read from '@/data/read';
import { useLive } from '@/data/useLive';
import type { Place } from './place';
import { Selection } from './selection';
import { sectionsOf } from './sort';
import { did, history } from './history';
import { useCanEdit } from './role';
import { useTotals } from './totals';
import { createdStep, movedStep, trashedStep } from './steps';
import { copyInto, moveOrCopy } from './transfer';

/** What was cut or copied, for all folders of this tab. */
export const clipboard = shallowRef<{ mode: 'cut' | 'copy'; items: readonly Item[] } | null>(null);
watch(signedIn, () => (clipboard.value = null));

export function createFolderState(place: Place) {
  const { t } = useI18n();
  const drive = useDrive();
  const router = useRouter();
  const { id: folderId, folder, crumbs, stored, items, space, prefs } = place;
  /** Items of many folders stand together, in the order of a search. */
  const isSearch = place.title !== undefined;
  const title = () => place.title?.() ?? (folder.value?.name || t('nav.personal'));

  /** What is shared by link, to be marked. */
  const linked = useLive(
    async () => new Set((await drive.db.links.toArray()).map((link) => link.entry_id)),
    new Set<string>(),
  );
  const starred = useLive(() => read.starred(drive.db), new Set<string>());
  const tags = useLive(async () => tagIndex(await drive.db.tags.toArray()), tagIndex([]));
  /** What is kept on this device, to be marked. */
  const keptHere = useLive<KeptUse>(() => keptUse(drive), { pinned: new Set(), kept: new Map(), bytes: 0 });
  const totals = place.totals ?? useTotals(folderId, items);
  const sections = computed(() => sectionsOf(items.value, prefs.value.group));
  const ids = computed(() => items.value.map((item) => item.id));
  /** A name for an item that stays when it gets its real id, so that its row (and a field in it) stays too. */
  const firstIds = computed(() => new Map(stored.value.aliases.map((alias) => [alias.real, alias.temp])));
  const keyOf = (id: string) => firstIds.value.get(id) ?? id;
  const selection = new Selection(() => ids.value);
  const selected = computed(() => items.value.filter((item) => selection.has(item.id)));
  const canEdit = place.canEdit ?? useCanEdit(selected);
  const cursorItem = computed(() => items.value.find((item) => item.id === selection.cursor) ?? null);
  /** Where keys and menus act: the selection, or the open folder's own. */
  const renaming = ref<string | null>(null);
  const looking = ref(false);
  /** Whether taps take items into the selection and out of it, as a finger that rested on one asked for. */
  const picking = ref(false);
  const moving = shallowRef<readonly Item[]>([]);
  /** Set by the view that shows: brings an item into sight, and takes the focus back. */
  const view = shallowRef<{ reveal: (id: string) => void; focus: () => void } | null>(null);
  /** Selected as soon as they appear: what was just made or pasted. */
  let awaited: { ids: readonly string[]; rename: boolean } | null = null;

  watch(folderId, () => {
    selection.only([]);
    picking.value = false;
    renaming.value = null;
  });
  const choosing = computed(() => picking.value || selected.value.length > 0);
  // Whoever takes out the last one is done.
  watch(selection.count, (count) => {
    if (count === 0) picking.value = false;
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

  /** The way to a folder in words, for lists whose items are in many; asked for when it is first shown. */
  const ways = shallowReactive(new Map<string, string>());
  const asked = new Set<string>();
  watch(items, () => {
    ways.clear();
    asked.clear();
  });
  function whereIs(item: Item): string {
    const parent = item.parent_id ?? '';
    const known = ways.get(parent);
    if (known !== undefined || asked.has(parent)) return known ?? '';
    asked.add(parent);
    void read.trail(drive.db, parent).then((path) => {
      const names = path.map((step) => step.name || t('nav.personal'));
      ways.set(parent, names.join(' › ') || t('people.withMe'));
    });
    return '';
  }

  /** Begins to pick, or goes on: with an item if one is named, else with what is selected. */
  function pick(id?: string): void {
    if (!picking.value && id !== undefined) selection.clear();
    picking.value = true;
    if (id !== undefined && !selection.has(id)) selection.click(id, { toggle: true });
  }
  function endPick(): void {
    picking.value = false;
    selection.clear();
  }

  function open(item: Item): void {
    if (item.kind === 'folder') goTo(item.id, { stay: prefs.value.view === 'columns' });
    else {
      selection.only([item.id]);
      looking.value = true;
    }
  }

  /** Opens another folder, in the same view when `stay` is set, with an item selected if one is named. */
  function goTo(id: string, options: { stay?: boolean; select?: string; replace?: boolean } = {}): void {
    place.keepView(options.stay ? id : null);
    const to = { name: 'files', params: { folder: id } };
    void (options.replace ? router.replace(to) : router.push(to));
    if (options.select) expectItems([options.select], false);
  }

  function showInFolder(item: Item): void {
    void router.push({ name: 'files', params: { folder: item.parent_id ?? item.id }, query: { show: item.id } });
  }

  async function makeFolder(): Promise<void> {
    if (!folder.value) return;
    const { id, name } = await drive.createFolder(folder.value, t('drive.newFolderName'));
    // Its name is still to be typed: the way back is there, but nothing is said over it.
    history.push(createdStep(drive, id, folder.value, name));
    expectItems([id], true);
  }

  async function rename(item: Item, name: string): Promise<void> {
    renaming.value = null;
    view.value?.focus();
    if (name === item.name) return;
    did(movedStep(drive, t('toasts.renamed', { name }), [await drive.rename(item, name)]));
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
    const made: string[] = [];
    const parents = new Set(selected.value.map((item) => item.parent_id ?? folderId()));
    const chosen = selected.value;
    for (const parent of parents)
      made.push(
        ...(await copyInto(
          drive,
          chosen.filter((item) => (item.parent_id ?? folderId()) === parent),
          parent,
        )),
      );
    expectItems(made, false);
  }

  async function download(): Promise<void> {
    const everything = selected.value.length === items.value.length;
    await (await import('./download')).download(selected.value, everything ? folder.value : null);
  }

  async function remove(what: readonly Item[]): Promise<void> {
    const at = items.value.findIndex((item) => item.id === what[0]?.id);
    await drive.remove(what);
    did(trashedStep(drive, what));
    const gone = new Set(what.map((item) => item.id));
    if (picking.value) return endPick();
    const next =
      items.value.slice(at).find((item) => !gone.has(item.id)) ??
      items.value.slice(0, at).findLast((item) => !gone.has(item.id));
    selection.only(next ? [next.id] : []);
    view.value?.focus();
  }

  return {
    drive,
    folder,
    crumbs,
    items,
    ids,
    stored,
    linked,
    starred,
    totals,
    tags,
    keptHere,
    canEdit,
    title,
    isSearch,
    views: place.views,
    columns: place.columns,
    notes: place.notes ?? {},
    rank: place.rank ?? null,
    whereIs,
    space,
    prefs,
    selection,
    selected,
    cursorItem,
    renaming,
    looking,
    picking,
    choosing,
    moving,
    view,
    folderId,
    keyOf,
    sections,
    pick,
    endPick,
    open,
    goTo,
    showInFolder,
    makeFolder,
    rename,
    transfer,
    paste,
    duplicate,
    download,
    remove,
    setPrefs: place.setPrefs,
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
