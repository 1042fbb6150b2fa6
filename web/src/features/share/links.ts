// Links as people see them: their address, what they allow, and whether they still work.
import './linkTexts';
import type { Schemas } from '@/api/client';
import { Problem } from '@/api/problem';
import { tellProblem } from '@/app/problems';
import { i18n } from '@/i18n';
import { formatAgo } from '@/lib/format';

export type Link = Schemas['Link'];
export type LinkEvent = Schemas['LinkEvent'];
export const modes = ['download', 'view', 'upload'] as const;
export type Mode = (typeof modes)[number];

/** The page that visitors open; null when the server cannot tell it any more. */
export const addressOf = (link: Link) => (link.token === null ? null : `${location.origin}/s/${link.token}`);

/** What is to be read of an address in little room: where it leads, and its beginning. */
export const shortAddress = (address: string) => address.replace(/^https?:\/\//, '').replace(/(\/s\/.{6}).*$/, '$1…');

export function endOf(link: Link, now = Date.now()): 'expired' | 'used-up' | null {
  if (link.expires_at !== null && new Date(link.expires_at).getTime() <= now) return 'expired';
  return link.download_limit !== null && link.downloads >= link.download_limit ? 'used-up' : null;
}

/** What is worth knowing about a link, in the order of its weight. */
export function factsOf(link: Link, now = Date.now()): string[] {
  const { t, locale } = i18n.global;
  const facts: string[] = [];
  const end = endOf(link, now);
  if (link.has_password) facts.push(t('share.fact_password'));
  if (link.expires_at !== null) {
    const when = formatAgo(link.expires_at, locale.value, now);
    facts.push(t(end === 'expired' ? 'share.fact_ended' : 'share.fact_ends', { when }));
  }
  if (link.mode === 'upload') {
    facts.push(t('share.fact_uploads', { count: link.uploads }, link.uploads));
    return facts;
  }
  const count = link.downloads;
  if (link.download_limit !== null)
    facts.push(t(end === 'used-up' ? 'share.fact_used' : 'share.fact_limit', { count, limit: link.download_limit }));
  else if (count > 0) facts.push(t('share.fact_downloads', { count }, count));
  facts.push(link.opens > 0 ? t('share.fact_opens', { count: link.opens }, link.opens) : t('share.fact_unused'));
  return facts;
}

export const nameOf = (link: Link) => link.name ?? i18n.global.t(`share.mode_${link.mode}`);

/** Says what went wrong. */
export function tell(error: unknown): void {
  const problem = Problem.of(error);
  void tellProblem(problem, i18n.global.t('share.offline'));
}
