// A change that a person waits for: whether it is under way, and why it was refused.
import { ref, type Ref } from 'vue';
import { Problem } from '@/api/problem';
import { i18n } from '@/i18n';
import { learnRefusals } from '@/i18n/refusals';

export function useAttempt(wordsOf: (problem: Problem) => string): {
  busy: Ref<boolean>;
  problem: Ref<string | null>;
  /** True if it was done. */
  attempt: (work: () => Promise<unknown>) => Promise<boolean>;
} {
  const busy = ref(false);
  const problem = ref<string | null>(null);
  async function attempt(work: () => Promise<unknown>): Promise<boolean> {
    busy.value = true;
    problem.value = null;
    try {
      await work();
      return true;
    } catch (error) {
      await learnRefusals(i18n.global.locale.value);
      problem.value = wordsOf(Problem.of(error));
      return false;
    } finally {
      busy.value = false;
    }
  }
  return { busy, problem, attempt };
}
