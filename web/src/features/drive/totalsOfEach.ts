// How much is in folders that stand together from everywhere: each is asked for by itself, and without a connection none.
import { onScopeDispose, shallowRef, watch, type Ref } from 'vue';
import { api, take } from '@/api/client';
import { useDrive } from '@/data/drive';
import type { Item } from '@/data/project';
import { restMs, type Told, type Total } from './totals';

/** No more than these are asked for, and not all at the same time. */
const mostEach = 60;
const atOnce = 4;

export function useTotalsOfEach(items: Readonly<Ref<readonly Item[]>>): Readonly<Ref<ReadonlyMap<string, Total>>> {
  const { sync } = useDrive();
  const totals = shallowRef<ReadonlyMap<string, Total>>(new Map());
  let turn = new AbortController();
  let timer: ReturnType<typeof setTimeout> | undefined;

  async function load(ids: readonly string[], signal: AbortSignal): Promise<void> {
    const found = new Map(totals.value);
    // Each letter of a search finds others, and many of them again.
    const left = ids.filter((id) => !found.has(id)).slice(0, mostEach);
    const worker = async () => {
      for (let id = left.shift(); id !== undefined; id = left.shift()) {
        const params = { params: { path: { id } }, signal };
        const entry = (await take(api.GET('/api/v1/entries/{id}', params)).catch(() => null)) as Told | null;
        if (signal.aborted) return;
        if (entry?.total) found.set(id, entry.total);
      }
    };
    await Promise.all(Array.from({ length: atOnce }, worker));
    if (!signal.aborted) totals.value = found;
  }
  watch(
    [items, () => sync.state.link === 'online'],
    ([list, online]) => {
      turn.abort();
      turn = new AbortController();
      clearTimeout(timer);
      const ids = list.filter((item) => item.kind === 'folder').map((item) => item.id);
      if (ids.length > 0 && online) timer = setTimeout(() => void load(ids, turn.signal), restMs);
    },
    { immediate: true },
  );
  onScopeDispose(() => {
    clearTimeout(timer);
    turn.abort();
  });
  return totals;
}
