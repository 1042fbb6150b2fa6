// Moving and copying into a folder, from wherever it was asked for; both can be taken back.
import { i18n } from '@/i18n';
import type { Drive } from '@/data/drive';
import type { Item } from '@/data/project';
import * as read from '@/data/read';
import { toast } from '@/ui/toasts';
import { did } from './history';
import { copiedStep, movedStep } from './steps';

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
  if (path[0] && what.some((item) => item.space_id !== path[0]!.space_id)) {
    toast(t('people.otherSpace'), { tone: 'danger' });
    return [];
  }
  if (mode === 'copy') return copyInto(drive, what, target);
  const moved = await drive.move(what, target);
  if (moved.length > 0) {
    const text =
      moved.length === 1
        ? t('toasts.moved', { name: moved[0]!.after.name })
        : t('toasts.movedMany', { count: moved.length });
    did(movedStep(drive, text, moved));
  }
  return [];
}

export async function copyInto(drive: Drive, what: readonly Item[], target: string): Promise<readonly string[]> {
  const made = await drive.copy(what, target, i18n.global.t('actions.copy').toLocaleLowerCase());
  if (made.length > 0) did(copiedStep(drive, made, what, target));
  return made;
}
