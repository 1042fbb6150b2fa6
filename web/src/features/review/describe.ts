// Both sides of a time without connection, in words.
import type { Seen, Sent } from '@/data/db';
import { i18n } from '@/i18n';

const { t } = i18n.global;

/** One change of somebody else. */
export function describeSeen({ before, after }: Seen): string {
  if (!after) return t('review.deleted', { name: before?.name ?? t('common.unknown') });
  if (!before) return t('review.created', { name: after.name });
  if (before.name !== after.name) return t('review.renamed', { from: before.name, name: after.name });
  if (before.parent !== after.parent) return t('review.moved', { name: after.name });
  return t('review.changed', { name: after.name });
}

/** What a rule decided about a change that met another: what each side wanted, and what it is now. */
export function describeNote({ op, note }: Sent): { theirs: string; now: string } | null {
  switch (note?.code) {
    case undefined:
      return null;
    case 'renamed-too':
      return {
        theirs: t('review.renamedTo', { name: note.theirs }),
        now: t('review.nowNamed', { name: note.name }),
      };
    case 'number-added':
      return { theirs: t('review.nameUsed', { name: note.wanted }), now: t('review.nowNamed', { name: note.name }) };
    case 'merged':
      return { theirs: t('review.sameFolder', { name: note.name }), now: t('review.nowOne') };
    case 'kept-edited':
      return { theirs: t('review.changed', { name: note.name }), now: t('review.nowKept') };
    case 'restored-elsewhere':
      return { theirs: t('review.folderDeleted'), now: t('review.nowInRoot') };
    case 'gone':
      return {
        theirs: t('review.deleted', { name: op.kind === 'update' ? op.before.name : note.name }),
        now: t('review.nowGone'),
      };
  }
}

/** Changes of others that are told already beside the change of ours that met them. */
export function newsOf(mine: readonly Sent[], theirs: readonly Seen[]): Seen[] {
  const met = new Set(
    mine.flatMap((one) => (one.note ? [one.entry?.id ?? ('entry' in one.op ? one.op.entry : '')] : [])),
  );
  return theirs.filter((seen) => !met.has(seen.entry));
}
