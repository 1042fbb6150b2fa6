// A list that comes in pages: the first one, more of it, and what went wrong.
import { onScopeDispose, shallowRef } from 'vue';
import { Problem } from '@/api/problem';

interface Page<T> {
  items: T[];
  next_cursor?: string | null;
}

/** `ask` gets the place to go on from, and a signal that ends it when its answer is no longer wanted. */
export function usePages<T>(ask: (cursor: string | undefined, signal: AbortSignal) => Promise<Page<T>>) {
  const items = shallowRef<readonly T[] | null>(null);
  const next = shallowRef<string | null>(null);
  const problem = shallowRef<Problem | null>(null);
  /** Answers that were asked for before the last question are no answers to it. */
  let turn = new AbortController();
  onScopeDispose(() => turn.abort());

  async function load(more = false): Promise<void> {
    turn.abort();
    turn = new AbortController();
    const { signal } = turn;
    try {
      const page = await ask(more ? (next.value ?? undefined) : undefined, signal);
      if (signal.aborted) return;
      items.value = more ? [...(items.value ?? []), ...page.items] : page.items;
      next.value = page.next_cursor ?? null;
      problem.value = null;
    } catch (error) {
      if (!signal.aborted) problem.value = Problem.of(error);
    }
  }
  /** Shows nothing of what was there while the list of something else comes. */
  function loadAnew(): void {
    items.value = null;
    next.value = null;
    problem.value = null;
    void load();
  }
  return { items, next, problem, load, loadAnew };
}
