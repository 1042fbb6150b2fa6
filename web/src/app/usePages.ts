// A list that comes in pages: the first one, more of it, and what went wrong.
import { shallowRef } from 'vue';
import { Problem } from '@/api/problem';

export function usePages<T>(ask: (cursor?: string) => Promise<{ items: T[]; next_cursor?: string | null }>) {
  const items = shallowRef<readonly T[] | null>(null);
  const next = shallowRef<string | null>(null);
  const problem = shallowRef<Problem | null>(null);
  /** Answers that were asked for before the last question are no answers to it. */
  let asked = 0;

  async function load(more = false): Promise<void> {
    asked += 1;
    const mine = asked;
    try {
      const page = await ask(more ? (next.value ?? undefined) : undefined);
      if (mine !== asked) return;
      items.value = more ? [...(items.value ?? []), ...page.items] : page.items;
      next.value = page.next_cursor ?? null;
      problem.value = null;
    } catch (error) {
      if (mine === asked) problem.value = Problem.of(error);
    }
  }
  return { items, next, problem, load };
}
