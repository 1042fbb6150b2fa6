// Moving and copying into a folder, from wherever it was asked for; what can be taken back is offered to be.
import { i18n } from '@/i18n';
import type { Drive } from '@/data/drive';
import type { Item } from '@/data/project';
import * as read from '@/data/read';
import { toast } from '@/ui/toasts';
import { remember, undo, type Undoable } from './undo';

export function offerUndo(text: string, step: Undoable): void {
  remember(step);
  toast(text, { action: { label: i18n.global.t('common.undo'), run: () => void undo(step) } });
}

export const placeOf = (item: Item) => ({ id: item.id, name: item.name, parent: item.parent_id ?? '' });

/** Returns the ids of what was made by a copy. */
export async function moveOrCopy(
  drive: Drive,
  what: readonly Item[],
  target: string,
  mode: 'move' | 'copy',
): Promise<readonly string[]> {
  const { t } = i18n.global;
  const path = await read.trail(drive.db, target);
  if (what.some((item) => path.some((step) => step.id === item.id))) {
    toast(t('toasts.ownInside'), { tone: 'danger' });
    return [];
  }
  if (mode === 'copy') return drive.copy(what, target, t('actions.copy').toLocaleLowerCase());
  const places = what.map(placeOf);
  const moved = await drive.move(what, target);
  if (moved.length > 0) {
    const text =
      moved.length === 1 ? t('toasts.moved', { name: moved[0]!.name }) : t('toasts.movedMany', { count: moved.length });
    offerUndo(text, {
      undo: () => drive.restorePlace(places.filter((place) => moved.some((item) => item.id === place.id))),
    });
  }
  return [];
}
