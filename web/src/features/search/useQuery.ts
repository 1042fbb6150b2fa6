// The query as the page holds it: operators as chips, and what is typed. The address holds both, so that a search can be
// gone back to, sent to somebody and kept.
import { computed, ref, watch } from 'vue';
import { useRoute, useRouter } from 'vue-router';
import { parse, print, sameToken, takeOperators, type Token } from '@/data/search/query';
import type { Operator } from '@/data/search/words';

/** The address follows the typing after a moment: browsers allow only so many changes of it. */
const addressMs = 250;

export function useQuery() {
  const route = useRoute();
  const router = useRouter();
  const chips = ref<Token[]>([]);
  const words = ref('');
  const text = computed(() => [print(chips.value), words.value.trim()].filter(Boolean).join(' '));
  const tokens = computed(() => parse(text.value));

  function put(query: string): void {
    const { taken, rest } = takeOperators(query, true);
    chips.value = taken;
    words.value = rest.trim();
  }
  watch(
    () => route.query.q,
    (q) => {
      const asked = typeof q === 'string' ? q : '';
      if (route.name === 'search' && asked !== text.value) put(asked);
    },
    { immediate: true },
  );
  watch(text, (now, _, onCleanup) => {
    const timer = setTimeout(() => {
      if (route.name === 'search' && (route.query.q ?? '') !== now)
        void router.replace({ name: 'search', query: now ? { q: now } : {} });
    }, addressMs);
    onCleanup(() => clearTimeout(timer));
  });

  /** Makes chips of the operators that were typed to their end. */
  function settle(ended: boolean): void {
    const { taken, rest } = takeOperators(words.value, ended);
    if (taken.length === 0) return;
    for (const token of taken) add(token);
    words.value = rest;
  }
  function add(token: Token): void {
    if (!chips.value.some((one) => sameToken(one, token))) chips.value = [...chips.value, token];
  }
  function remove(token: Token): void {
    chips.value = chips.value.filter((one) => !sameToken(one, token));
  }
  const clearChips = () => void (chips.value = []);
  const has = (token: Token) => chips.value.some((one) => sameToken(one, token));
  /** Puts a token in the place of all others that say the same sort of thing; null takes them away. */
  function only(ops: readonly Operator[], token: Token | null): void {
    const rest = chips.value.filter((one) => one.op === null || !ops.includes(one.op));
    chips.value = token ? [...rest, token] : rest;
  }
  return { chips, words, text, tokens, put, settle, add, remove, has, only, clearChips };
}

export type QueryState = ReturnType<typeof useQuery>;
