// Moving and copying into a folder, from wherever it was asked for; both can be taken back.
import { i18n } from '@/i18n';
import type { Drive } from '@/data/drive';
import { isUnsent, type Item } from '@/data/project';
import * as read from '@/data/read';
import { toast } from '@/ui/toasts';
import { askAboutClash, clashesOf } from './clash';
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
  const into = path.at(-1);
  // What is in the folder already stays there, or gets a copy beside it: neither is a question.
  const coming = what.filter((item) => item.parent_id !== into?.id);
  const across = path[0] !== undefined && what.some((item) => item.space_id !== path[0]!.space_id);
  const known = into !== undefined && !isUnsent(into) && what.every((item) => !item.pending);
  const online = drive.sync.state.link !== 'offline' && known;
  const clashes = clashesOf(coming, await read.children(drive.db, target), across);
  if (across && !online) {
    toast(t('clash.offline'), { tone: 'danger' });
    return [];
  }
  const choice = online && clashes.items.length > 0 ? await askAboutClash(clashes.items, clashes.choices) : 'rename';
  if (choice === null) return [];
  if (into && (across || choice !== 'rename')) {
    const { bulkTransfer } = await import('./bulk');
    const step = await bulkTransfer(drive, coming, into, mode, choice);
    if (step) did(step);
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
