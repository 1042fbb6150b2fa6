// What the pages about people ask of the server, and what they say of a refusal.
import type { Schemas } from '@/api/client';
import { Problem } from '@/api/problem';
import { i18n } from '@/i18n';
import { toast } from '@/ui/toasts';

/** An account, as those see it who look after accounts. */
export type Account = Required<Schemas['User']> & {
  disabled_at: string | null;
  quota_bytes: number | null;
  used_bytes: number;
  second_factor: boolean;
};
export const toProblem = (error: unknown) => (error instanceof Problem ? error : Problem.offline(error));

export function wordsOf(problem: Problem): string {
  const { t } = i18n.global;
  if (problem.status === 0) return t('office.offline');
  if (problem.code === 'last-administrator') return t('office.last');
  if (problem.code === 'mail-off') return t('profile.mailOff');
  if (problem.code === 'email-taken') return t('enter.emailTaken');
  return problem.code === 'name-taken' ? t('register.taken') : problem.message;
}
export function tell(error: unknown): void {
  toast(wordsOf(toProblem(error)), { tone: 'danger' });
}

const gigabyte = 1e9;
/** `null` for none; NaN for what is no size. */
export function quotaOf(text: string): number | null {
  if (!text.trim()) return null;
  const value = Number(text.trim().replace(',', '.'));
  return value > 0 && Number.isFinite(value) ? Math.round(value * gigabyte) : Number.NaN;
}
export const quotaText = (bytes: number | null) => (bytes === null ? '' : String(bytes / gigabyte));
