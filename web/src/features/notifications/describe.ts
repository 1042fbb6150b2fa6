// A notice in words, and its picture.
import '@/i18n/bell';
import {
  CircleAlert,
  CircleArrowDown,
  CloudUpload,
  Database,
  FolderPlus,
  GitMerge,
  Inbox,
  TriangleAlert,
  UserPlus,
  UsersRound,
} from '@lucide/vue';
import type { Component } from 'vue';
import type { Notice } from '@/data/db';
import { i18n } from '@/i18n';

export const icons: Record<Notice['kind'], Component> = {
  changes: FolderPlus,
  shared: UserPlus,
  team: UsersRound,
  dropped: Inbox,
  quota: Database,
  uploaded: CloudUpload,
  failed: CircleAlert,
  conflict: TriangleAlert,
  kept: CircleArrowDown,
  refused: CircleAlert,
  met: GitMerge,
  job: TriangleAlert,
};
/** What asks for something to be done. */
export const urgent: ReadonlySet<Notice['kind']> = new Set(['quota', 'failed', 'conflict', 'refused', 'job']);

export function describeNotice(notice: Notice, who: string | null): string {
  const { t } = i18n.global;
  const { count, did } = notice;
  const name = notice.name || t('nav.personal');
  const shown = { count, name, who: who ?? t('notices.somebody') };
  switch (notice.kind) {
    case 'changes': {
      const one = did ? (['added', 'changed', 'removed'] as const).filter((deed) => did[deed] > 0) : [];
      if (did?.only && one.length === 1) return t(`notices.${one[0]!}One`, { ...shown, what: did.only });
      return t(one.length === 1 ? `notices.${one[0]!}` : 'notices.changes', shown, count);
    }
    case 'dropped': {
      const [link, visitor] = notice.name.split('\n');
      return visitor
        ? t('notices.droppedBy', { ...shown, name: link!, who: visitor }, count)
        : t('notices.dropped', { ...shown, name: link! }, count);
    }
    case 'shared':
    case 'team':
    case 'conflict':
    case 'quota':
    case 'uploaded':
    case 'failed':
    case 'kept':
    case 'refused':
    case 'met':
    case 'job':
      return t(`notices.${notice.kind}`, shown, count);
  }
}
