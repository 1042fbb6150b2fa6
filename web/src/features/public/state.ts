// What is known of the link and of the place in it, and how it came to be known.
import { computed, onScopeDispose, shallowRef, watch } from 'vue';
import { isProblem, Problem } from '@/api/problem';
import { getEntry, openLink, type LinkedEntry, type PublicLink } from './api';
import { Children } from './children';
import { place } from './place';

/** How long until the server has counted a download that has begun. */
const countedMs = 1_500;

export function useLink() {
  const link = shallowRef<PublicLink | null>(null);
  const problem = shallowRef<Problem | null>(null);
  const entry = shallowRef<LinkedEntry | null>(null);
  /** The folders from the top down to what is shown, without it. */
  const above = shallowRef<readonly LinkedEntry[]>([]);
  /** What was shown last may be a folder of this trail: it is not asked for again. */
  const known = new Map<string, LinkedEntry>();
  let stop = new AbortController();
  onScopeDispose(() => stop.abort());

  async function load(): Promise<void> {
    stop.abort();
    stop = new AbortController();
    const { signal } = stop;
    const { token } = place.value;
    try {
      link.value = await openLink(token, signal);
      problem.value = null;
    } catch (error) {
      if (!signal.aborted) fail(error, true);
      return;
    }
    try {
      await show(signal);
    } catch (error) {
      if (!signal.aborted) fail(error, false);
    }
  }

  /** What is wrong with the link itself leaves nothing to go back to. */
  function fail(error: unknown, ofLink: boolean): void {
    problem.value = Problem.of(error);
    if (ofLink && problem.value.status === 404) link.value = null;
  }

  /** Finds what the address names, with the folders above it. */
  async function show(signal: AbortSignal): Promise<void> {
    const top = link.value?.entry;
    const { token, entry: wanted } = place.value;
    if (!top || link.value?.mode === 'upload') {
      entry.value = top ?? null;
      return;
    }
    known.set(top.id, top);
    const trail: LinkedEntry[] = [];
    let at: string | null = wanted ?? top.id;
    while (at !== null) {
      const found: LinkedEntry = known.get(at) ?? (await getEntry(token, at, signal));
      known.set(found.id, found);
      trail.unshift(found);
      at = found.id === top.id ? null : found.parent_id;
    }
    if (signal.aborted) return;
    entry.value = trail.at(-1) ?? top;
    above.value = trail.slice(0, -1);
    problem.value = null;
  }

  watch(
    place,
    async (now, before) => {
      if (!before || now.token !== before.token || !link.value) return load();
      stop.abort();
      stop = new AbortController();
      const { signal } = stop;
      try {
        await show(signal);
      } catch (error) {
        if (!signal.aborted) problem.value = Problem.of(error);
      }
    },
    { immediate: true },
  );

  /** Asks again how many downloads are left. What it says of the link's end counts. */
  async function refresh(): Promise<boolean> {
    try {
      link.value = await openLink(place.value.token);
      return true;
    } catch (error) {
      fail(error, true);
      return false;
    }
  }

  /** A moment after a download has begun: how many are left now. Whatever is shown stays, also when it was the last. */
  async function recount(): Promise<void> {
    const had = link.value;
    if (!had || had.downloads_left === null) return;
    await new Promise((resolve) => setTimeout(resolve, countedMs));
    try {
      link.value = await openLink(place.value.token);
    } catch (error) {
      if (isProblem(error, 'link-used-up')) link.value = { ...had, downloads_left: 0 };
    }
  }

  const ended = computed(() => {
    const it = problem.value;
    if (!it) return null;
    if (it.code === 'link-expired') return 'expired';
    if (it.code === 'link-used-up') return 'used';
    if (it.status === 0) return 'offline';
    if (it.status === 404 || it.code === 'invalid-id') return link.value ? 'missing' : 'gone';
    return 'failed';
  });

  const learn = (found: readonly LinkedEntry[]) => {
    for (const one of found) known.set(one.id, one);
  };

  /** The list that was shown last: going from file to file, and back, it is not asked for again. */
  let shown: Children | null = null;
  function childrenOf(folder: string, maybeOld: boolean): Children {
    if (shown?.folder !== folder || !(maybeOld || shown.fresh)) {
      shown?.leave();
      shown = new Children(place.value.token, folder, learn);
    }
    void shown.load();
    return shown;
  }
  return { link, problem, entry, above, ended, load, refresh, recount, fail, childrenOf };
}
export type LinkState = ReturnType<typeof useLink>;
