// What lies in the trash of a space, page by page, the latest first; and the two ways out of it.
import { onScopeDispose, watch } from 'vue';
import { api, asOne, take, type Schemas } from '@/api/client';
import { isProblem } from '@/api/problem';
import { usePages } from '@/app/usePages';
import type { SpaceRow } from '@/data/db';
import { useDrive } from '@/data/drive';
import { learnPeople } from '@/data/people';
import { useLive } from '@/data/useLive';

export type Trashed = Schemas['Trashed'];
const pageSize = 200;
/** What somebody deletes comes one by one, and is listed together. */
const settleMs = 400;

export function useTrash(space: () => SpaceRow | undefined) {
  const drive = useDrive();
  const { items, next, problem, load, loadAnew } = usePages<Trashed>(async (cursor, signal) => {
    const id = space()?.id;
    if (!id) return { items: [] };
    const query = { space: id, limit: pageSize, cursor };
    const page = await take(api.GET('/api/v1/trash', { params: { query }, signal }));
    const who = page.items.flatMap((item) => item.trashed_by ?? []);
    void learnPeople(drive.db, who).catch(() => undefined);
    return page;
  });
  watch(
    () => space()?.id,
    (id) => {
      if (id) loadAnew();
    },
    { immediate: true },
  );
  let timer: ReturnType<typeof setTimeout> | undefined;
  onScopeDispose(() => clearTimeout(timer));
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
