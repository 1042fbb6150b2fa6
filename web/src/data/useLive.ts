// A ref that follows a query of the local database. Dexie runs the query outside Vue's tracking, so everything reactive
// it rests on is named in `deps`.
import { liveQuery, type Subscription } from 'dexie';
import { onScopeDispose, shallowRef, watch, type Ref, type WatchSource } from 'vue';

export function useLive<T>(
  query: () => Promise<T>,
  initial: T,
  deps: WatchSource[] = [],
): Readonly<Ref<T>> & { loaded: Ref<boolean> } {
  const value = shallowRef(initial) as Ref<T>;
  const loaded = shallowRef(false);
  let running: Subscription | null = null;
  watch(
    deps,
    () => {
      running?.unsubscribe();
      loaded.value = false;
      running = liveQuery(query).subscribe({
        next: (result) => {
          value.value = result;
          loaded.value = true;
        },
        error: (error: unknown) => console.error('a local query failed', error),
      });
    },
    { immediate: true },
  );
  onScopeDispose(() => running?.unsubscribe());
  return Object.assign(value, { loaded });
}
