// What the pages about the installation say of a refusal.
import { Problem } from '@/api/problem';
import { i18n } from '@/i18n';
import { toast } from '@/ui/toasts';

export function wordsOf(problem: Problem): string {
  const { t } = i18n.global;
  if (problem.status === 0) return t('common.offline');
  const key = `refused.${problem.code}`;
  // Every text is there in English.
  return i18n.global.te(key, 'en') ? t(key) : problem.message;
}
export function tell(error: unknown): void {
  toast(wordsOf(Problem.of(error)), { tone: 'danger' });
}
