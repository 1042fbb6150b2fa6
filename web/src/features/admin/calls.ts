// What the pages about the installation say of a refusal: for some they have words that fit better than those for everybody.
import { Problem } from '@/api/problem';
import { wordsOf as sharedWords } from '@/app/problems';
import { i18n } from '@/i18n';
import { learnRefusals } from '@/i18n/refusals';
import { toast } from '@/ui/toasts';

export function wordsOf(problem: Problem): string {
  const key = `refused.${problem.code}`;
  // Every text is there in English.
  return i18n.global.te(key, 'en') ? i18n.global.t(key) : sharedWords(problem);
}
export function tell(error: unknown): void {
  // A message waits for its words: they do not change once it shows.
  void learnRefusals(i18n.global.locale.value).then(() => toast(wordsOf(Problem.of(error)), { tone: 'danger' }));
}
