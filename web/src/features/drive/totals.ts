// How much is in the folders of the open folder. The server says it where it shows entries as they are now; the changes
// that keep this device in step do not, so it is asked for, and without a connection there is none.
import { onScopeDispose, shallowRef, watch, type Ref } from 'vue';
import { api, take, type Schemas } from '@/api/client';
import type { Entry } from '@/data/db';
import { useDrive } from '@/data/drive';
import type { Item } from '@/data/project';

export type Total = Schemas['Total'];
export type Told = Entry & { total?: Total | null };

/** Time for a folder that is only passed through, and for changes that come together. */
export const restMs = 500;
const pageSize = 1000;
/** Folders beyond these pages have no number; entries come by name, so they would be the last. */
const maxPages = 5;

export function useTotals(
  folderId: () => string,
  items: Readonly<Ref<readonly Item[]>>,
): Readonly<Ref<ReadonlyMap<string, Total>>> {
  const { db, sync } = useDrive();
  const totals = shallowRef<ReadonlyMap<string, Total>>(new Map());
  let asked = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;

  async function load(folder: string, mine: number): Promise<void> {
    // The server has not heard of a folder that was just made here.
    if (!(await db.entries.get(folder))) return;
    const found = new Map<string, Total>();
    let cursor: string | undefined;
    for (let page = 0; page < maxPages; page += 1) {
      const params = { params: { path: { id: folder }, query: { limit: pageSize, cursor } } };
      const answer = await take(api.GET('/api/v1/folders/{id}/children', params)).catch(() => null);
      if (mine !== asked) return;
      // What was told before the change that made this ask may be wrong now.
      if (!answer) break;
      for (const entry of answer.items as unknown as Told[]) if (entry.total) found.set(entry.id, entry.total);
      cursor = answer.next_cursor ?? undefined;
      if (!cursor) break;
    }
    totals.value = found;
  }
  watch(
    [
      folderId,
      () => items.value.filter((item) => item.kind === 'folder').length,
      items,
      () => sync.state.link === 'online',
    ],
    ([folder, folders], before) => {
      asked += 1;
      clearTimeout(timer);
      if (before[0] !== folder) totals.value = new Map();
      if (folders === 0) return;
      const mine = asked;
      timer = setTimeout(() => void load(folder, mine), restMs);
    },
    { immediate: true },
  );
  onScopeDispose(() => clearTimeout(timer));
  return totals;
}
