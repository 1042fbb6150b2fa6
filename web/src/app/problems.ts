// What a person is told of a call that failed, wherever it is told.
import { Problem } from '@/api/problem';
import type { Op } from '@/data/outbox/ops';
import { i18n } from '@/i18n';
import { learnRefusals, refusalText, type Refusal } from '@/i18n/refusals';
import { toast } from '@/ui/toasts';

/** Why it failed, in the language of the page. `offline` is what to say where no answer came. */
export function wordsOf(problem: Refusal & { status: number }, offline?: string): string {
  const { t, locale } = i18n.global;
  if (problem.code === 'offline') return offline ?? t('common.offline');
  return refusalText(problem, locale.value);
}

/** Why a change that waits for a person was refused. */
export function refusalOf({ failure }: Op): string | null {
  return failure ? wordsOf({ status: 409, code: failure.code, message: failure.detail }) : null;
}

/** Tells it in a message, which waits for its words: they do not change once it shows. */
export async function tellProblem(error: unknown, offline?: string): Promise<void> {
  await learnRefusals(i18n.global.locale.value);
  toast(wordsOf(Problem.of(error), offline), { tone: 'danger' });
}

/** For whoever is asked for help: what the server said, and by which number its logs know it. */
export function detailsOf(problem: Refusal & { status: number; requestId: string | null }): string {
  return [
    `${new Date().toISOString()} ${location.pathname}`,
    `${problem.status} ${problem.code}: ${problem.message}`,
    ...(problem.requestId ? [`request ${problem.requestId}`] : []),
  ].join('\n');
}
