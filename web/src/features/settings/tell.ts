// Says what went wrong with one's account.
import { Problem } from '@/api/problem';
import { i18n } from '@/i18n';
import { toast } from '@/ui/toasts';

/** What to say of a refusal, in the words of this page where it has some. */
export function wordsOf(problem: Problem): string {
  const { t } = i18n.global;
  if (problem.status === 0) return t('profile.offline');
  if (problem.code === 'wrong-password') return t('profile.wrongPassword');
  if (problem.code === 'mail-off') return t('profile.mailOff');
  if (problem.code === 'email-taken') return t('enter.emailTaken');
  if (problem.code === 'last-way-in') return t('ways.lastWay');
  if (problem.code === 'sign-in-again') return t('ways.signInAgain');
  if (problem.code === 'passkey-there') return t('ways.there');
  return problem.code === 'wrong-code' ? t('enter.wrongCode') : problem.message;
}

export function tell(error: unknown): void {
  toast(wordsOf(Problem.of(error)), { tone: 'danger' });
}
