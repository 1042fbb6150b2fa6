// An address of a file's bytes for as long as a component shows it.
import { onScopeDispose, shallowRef, watch, type Ref } from 'vue';
import { Problem } from '@/api/problem';
import { useBytes, type Viewed } from './bytes';

export function useFileUrl(entry: () => Viewed | null): { url: Ref<string | null>; problem: Ref<Problem | null> } {
  const source = useBytes();
  const url = shallowRef<string | null>(null);
  const problem = shallowRef<Problem | null>(null);
  let release: (() => void) | null = null;
  const drop = () => {
    release?.();
    release = null;
    url.value = null;
  };
  watch(
    () => entry() && `${entry()!.id} ${entry()!.version_id}`,
    async (_, __, onCleanup) => {
      drop();
      problem.value = null;
      const wanted = entry();
      if (!wanted) return;
      const stop = new AbortController();
      onCleanup(() => stop.abort());
      try {
        const opened = await source.open(wanted, stop.signal);
        if (stop.signal.aborted) opened.release();
        else {
          url.value = opened.url;
          release = opened.release;
        }
      } catch (error) {
        if (!stop.signal.aborted) problem.value = error instanceof Problem ? error : Problem.offline(error);
      }
    },
    { immediate: true },
  );
  onScopeDispose(drop);
  return { url, problem };
}
