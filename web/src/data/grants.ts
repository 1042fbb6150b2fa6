// A role that somebody was given, in words: whose it is, and when it ends.
import type { Schemas } from '@/api/client';
import { i18n } from '@/i18n';
import { formatAgo } from '@/lib/format';

export type Grant = Schemas['Grant'];

export function nameOfSubject(subject: Pick<Schemas['Subject'], 'kind' | 'name' | 'display_name'>): string {
  const { t } = i18n.global;
  if (subject.kind === 'everyone') return t('people.everyone');
  return subject.display_name || subject.name || t('people.gone');
}

export function endOfGrant(grant: Pick<Grant, 'expires_at'>, now = Date.now()): string | null {
  if (grant.expires_at === null) return null;
  const { t, locale } = i18n.global;
  const over = new Date(grant.expires_at).getTime() <= now;
  return t(over ? 'people.ended' : 'people.ends', { when: formatAgo(grant.expires_at, locale.value, now) });
}
