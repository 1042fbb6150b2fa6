// What was done, in words.
import type { Schemas } from '@/api/client';
import { i18n } from '@/i18n';

export type Activity = Schemas['Activity'];
const { t } = i18n.global;

const simple = {
  created: 'activity.created',
  content: 'activity.content',
  copied: 'activity.copied',
  trashed: 'activity.trashed',
  restored: 'activity.restored',
  versions: 'activity.versions',
  deleted: 'activity.deleted',
  moved: 'activity.moved',
} as const;

export function describe(it: Activity): string {
  const name = it.name ?? it.previous_name ?? t('common.unknown');
  if (it.kind === 'renamed') return t('activity.renamed', { from: it.previous_name ?? t('common.unknown'), name });
  const key = simple[it.kind as keyof typeof simple];
  return key ? t(key, { name }) : name;
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
