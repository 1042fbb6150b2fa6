// What was done, in words: of anything, and of the one thing that is being looked at.
import {
  Copy,
  FilePen,
  FilePlus,
  FolderInput,
  FolderPlus,
  FolderSync,
  History,
  Layers,
  PencilLine,
  RotateCcw,
  Tag,
  TextInitial,
  Trash2,
  UsersRound,
} from '@lucide/vue';
import type { Component } from 'vue';
import type { Schemas } from '@/api/client';
import { i18n } from '@/i18n';
import '@/i18n/activity';

export type Activity = Schemas['Activity'];
const { t } = i18n.global;

/** All kinds of changes that a history tells of, as the server calls them. */
const icons: Readonly<Record<string, Component>> = {
  created: FilePlus,
  content: FilePen,
  copied: Copy,
  renamed: PencilLine,
  moved: FolderInput,
  trashed: Trash2,
  deleted: Trash2,
  restored: RotateCcw,
  versions: Layers,
  shared: UsersRound,
  details: TextInitial,
  tagged: Tag,
  tags: Tag,
  merged: FolderSync,
  left: FolderInput,
};
export const iconOf = (it: Activity): Component =>
  it.kind === 'created' && it.entry_kind === 'folder' ? FolderPlus : (icons[it.kind] ?? History);

export function describe(it: Activity): string {
  const name = it.name ?? it.previous_name ?? t('common.unknown');
  if (it.kind === 'renamed') return t('activity.renamed', { from: it.previous_name ?? t('common.unknown'), name });
  return it.kind in icons ? t(`activity.${it.kind}`, { name }) : name;
}

/** The same where the name stands above already. */
export function describeHere(it: Activity): string {
  const from = it.previous_name;
  if (it.kind === 'renamed' && from !== null) return t('activity.here_renamed', { from });
  return it.kind in icons && it.kind !== 'renamed' ? t(`activity.here_${it.kind}`) : describe(it);
}

/** The activities of one day, newest first, as they come. */
export function byDay(items: readonly Activity[]): { day: string; items: Activity[] }[] {
  const days: { day: string; items: Activity[] }[] = [];
  for (const item of items) {
    const day = new Date(item.at).toDateString();
    const last = days.at(-1);
    if (last?.day === day) last.items.push(item);
    else days.push({ day, items: [item] });
  }
  return days;
}
