// Says what went wrong with one's account.
import { Problem } from '@/api/problem';
import { wordsOf as sharedWords } from '@/app/problems';
import { i18n } from '@/i18n';
import { learnRefusals } from '@/i18n/refusals';
import { toast } from '@/ui/toasts';

/** What to say of a refusal, in the words of this page where it has some. */
export function wordsOf(problem: Problem): string {
  const { t } = i18n.global;
  if (problem.code === 'wrong-password') return t('profile.wrongPassword');
  if (problem.code === 'mail-off') return t('profile.mailOff');
  if (problem.code === 'email-taken') return t('enter.emailTaken');
  if (problem.code === 'last-way-in') return t('ways.lastWay');
  if (problem.code === 'sign-in-again') return t('ways.signInAgain');
  if (problem.code === 'passkey-there') return t('ways.there');
  return problem.code === 'wrong-code' ? t('enter.wrongCode') : sharedWords(problem, t('profile.offline'));
}

export function tell(error: unknown): void {
  // A message waits for its words: they do not change once it shows.
  void learnRefusals(i18n.global.locale.value).then(() => toast(wordsOf(Problem.of(error)), { tone: 'danger' }));
}
