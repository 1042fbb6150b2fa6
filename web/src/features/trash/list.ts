// What lies in the trash of a space, page by page, the latest first; and the two ways out of it.
import { onScopeDispose, shallowRef, watch } from 'vue';
import { api, asOne, take, type Schemas } from '@/api/client';
import { isProblem, Problem } from '@/api/problem';
import type { SpaceRow } from '@/data/db';
import { useDrive } from '@/data/drive';
import { learnPeople } from '@/data/people';
import { useLive } from '@/data/useLive';

export type Trashed = Schemas['Trashed'];
const pageSize = 200;
/** What somebody deletes comes one by one, and is listed together. */
const settleMs = 400;

export const toProblem = (error: unknown) => (error instanceof Problem ? error : Problem.offline(error));

export function useTrash(space: () => SpaceRow | undefined) {
  const drive = useDrive();
  const items = shallowRef<readonly Trashed[] | null>(null);
  const next = shallowRef<string | null>(null);
  const problem = shallowRef<Problem | null>(null);
  let turn = new AbortController();
  let timer: ReturnType<typeof setTimeout> | undefined;
  onScopeDispose(() => {
    turn.abort();
    clearTimeout(timer);
  });

  async function load(more = false): Promise<void> {
    const id = space()?.id;
    if (!id) return;
    turn.abort();
    turn = new AbortController();
    const { signal } = turn;
    try {
      const query = { space: id, limit: pageSize, ...(more && next.value ? { cursor: next.value } : {}) };
      const page = await take(api.GET('/api/v1/trash', { params: { query }, signal }));
      if (signal.aborted) return;
      items.value = more ? [...(items.value ?? []), ...page.items] : page.items;
      next.value = page.next_cursor ?? null;
      problem.value = null;
      void learnPeople(
        drive.db,
        page.items.flatMap((item) => item.trashed_by ?? []),
      ).catch(() => undefined);
    } catch (error) {
      if (!signal.aborted) problem.value = toProblem(error);
    }
  }
  watch(
    () => space()?.id,
    () => {
      items.value = null;
      next.value = null;
      void load();
    },
    { immediate: true },
  );
  // What is deleted here may still be on its way, and others delete too. Whoever has read further down is left there.
  const waiting = useLive(() => drive.db.ops.where('state').equals('waiting').count(), 0);
  watch([waiting, () => space()?.cursor], ([count]) => {
    if (count > 0 || (items.value?.length ?? 0) > pageSize) return;
    clearTimeout(timer);
    timer = setTimeout(() => void load(), settleMs);
  });

  const drop = (id: string) => (items.value = (items.value ?? []).filter((item) => item.id !== id));

  /** Brings it back to where it was, or to the top of its space where that is gone. Says which of the two it was. */
  async function restore(item: Trashed): Promise<'back' | 'top'> {
    const call = (body: { parent_id?: string }) =>
      asOne((header) =>
        take(api.POST('/api/v1/entries/{id}/restore', { params: { path: { id: item.id }, header }, body })),
      );
    let went: 'back' | 'top' = 'back';
    try {
      await call({});
    } catch (error) {
      const top = space()?.root_id;
      if (!isProblem(error, 'original-folder-gone') || !top) throw error;
      await call({ parent_id: top });
      went = 'top';
    }
    drop(item.id);
    drive.sync.kick();
    return went;
  }

  async function removeForGood(item: Trashed): Promise<void> {
    const params = { path: { id: item.id }, query: { permanent: true } };
    await asOne((header) => take(api.DELETE('/api/v1/entries/{id}', { params: { ...params, header } })));
    drop(item.id);
    drive.sync.kick();
  }

  const empty = (id: string) => take(api.DELETE('/api/v1/trash', { params: { query: { space: id } } }));

  return { items, next, problem, load, restore, removeForGood, empty };
}
