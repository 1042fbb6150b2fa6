// How far the emptying of a trash is. The server does it in the background: first the entries go, then what they held is
// taken apart, and only that makes room again.
import { onScopeDispose, shallowRef, watch } from 'vue';
import { api, take } from '@/api/client';

const pollMs = 700;
/** What is counted anew at each call is not asked for as often, and ever more rarely. */
const countMs = 1_000;
const longestMs = 8_000;

export interface Progress {
  /** Entries of the trash that are still there, of those that were when it began. */
  left: number;
  total: number;
  /** Removed for good and still being taken apart. */
  bytes: number;
}

export function useEmptying(space: () => string, events: { emptied: () => unknown; failed: () => void }) {
  const progress = shallowRef<Progress | null>(null);
  let turn = new AbortController();
  onScopeDispose(() => turn.abort());

  const rest = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

  async function run(id: string, signal: AbortSignal): Promise<void> {
    const ask = () => take(api.GET('/api/v1/trash/emptying', { params: { query: { space: id } }, signal }));
    const params = { path: { id } };
    const count = async () => (await take(api.GET('/api/v1/spaces/{id}/usage', { params, signal }))).removing_bytes;
    let total = 0;
    let bytes = 0;
    let countAt = 0;
    let ran = false;
    let now = await ask();
    for (; now.state === 'running' && !signal.aborted; now = await ask()) {
      ran = true;
      total = Math.max(total, now.entries_total);
      if (Date.now() >= countAt) {
        bytes = await count();
        countAt = Date.now() + countMs;
      }
      progress.value = { left: now.entries_left, total, bytes };
      await rest(pollMs);
    }
    if (ran) {
      if (now.state === 'failed') events.failed();
      await events.emptied();
    }
    for (let pause = countMs; !signal.aborted; pause = Math.min(longestMs, pause * 1.5)) {
      bytes = await count();
      if (bytes === 0) break;
      progress.value = { left: 0, total, bytes };
      await rest(pause);
    }
  }

  /** Follows it to its end, or until another space is looked at. */
  async function follow(): Promise<void> {
    turn.abort();
    turn = new AbortController();
    const { signal } = turn;
    progress.value = null;
    try {
      await run(space(), signal);
    } catch (error) {
      if (!signal.aborted) throw error;
    } finally {
      if (!signal.aborted) progress.value = null;
    }
  }
  /** The same, where nobody waits for it: that it cannot be asked for is told by the list. */
  const look = () => follow().catch(() => undefined);
  watch(space, look, { immediate: true });
  return { progress, follow: look };
}
