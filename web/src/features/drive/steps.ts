// The steps a person can take back: each knows the operations for its way back and for doing it again.
import type { Drive, Moved } from '@/data/drive';
import type { Item } from '@/data/project';
import * as read from '@/data/read';
import { i18n } from '@/i18n';
import { history, type Step } from './history';

const { t } = i18n.global;

/** Entries that changed their name or folder. */
export function movedStep(drive: Drive, text: string, moved: readonly Moved[]): Step {
  const go = (which: 'before' | 'after') =>
    drive.restorePlace(
      moved.map((one) => ({ ...one[which], id: history.now(one.id), parent: history.now(one[which].parent) })),
    );
  return { text, undo: () => go('before'), redo: () => go('after') };
}

/** Takes away what a step made, unless somebody has put something into it since. */
async function takeAway(drive: Drive, ids: readonly string[], held: boolean): Promise<string | void> {
  const items = (await Promise.all(ids.map((id) => read.item(drive.db, history.now(id))))).filter(
    (one) => one !== null,
  );
  for (const item of items) {
    if (!held && item.kind === 'folder' && (await read.children(drive.db, item.id)).length > 0)
      return t('toasts.notEmpty', { name: item.name });
  }
  await drive.remove(items);
}

/** Later steps may know the entry by its first id or by the one the server gave it. */
async function succeed(drive: Drive, made: string, now: string): Promise<void> {
  const before = history.now(made);
  history.replace(before, now);
  const real = await read.realId(drive.db, before);
  if (real !== before) history.replace(real, now);
}

export function createdStep(drive: Drive, made: string, parent: Item, name: string): Step {
  return {
    text: t('toasts.created', { name }),
    undo: () => takeAway(drive, [made], false),
    redo: async () => {
      const folder = await read.item(drive.db, history.now(parent.id));
      if (!folder) return t('drive.gone');
      await succeed(drive, made, (await drive.createFolder(folder, name)).id);
    },
  };
}

export function copiedStep(drive: Drive, made: readonly string[], items: readonly Item[], target: string): Step {
  const text =
    items.length === 1
      ? t('toasts.copiedOne', { name: items[0]!.name })
      : t('toasts.copiedMany', { count: items.length });
  return {
    text,
    undo: () => takeAway(drive, made, true),
    redo: async () => {
      const again = await drive.copy(items, history.now(target), t('actions.copy').toLocaleLowerCase());
      for (const [at, id] of made.entries()) if (again[at]) await succeed(drive, id, again[at]);
    },
  };
}

export function trashedStep(drive: Drive, items: readonly Item[]): Step {
  const text =
    items.length === 1
      ? t('toasts.trashed', { name: items[0]!.name })
      : t('toasts.trashedMany', { count: items.length }, items.length);
  let kept = items;
  return {
    text,
    undo: () => drive.restore(kept.map((item) => ({ ...item, id: history.now(item.id) }))),
    redo: () =>
      takeAway(
        drive,
        kept.map((item) => item.id),
        true,
      ),
    forget: async (gone) => {
      const ids = await Promise.all(items.map((item) => read.realId(drive.db, history.now(item.id))));
      kept = kept.filter((item) => !gone(ids[items.indexOf(item)]!, item));
      return kept.length > 0;
    },
  };
}
