// What was done, page by page, newest first: in a space, or to one entry of it. One's own can be taken back from here.
import { onScopeDispose, ref, shallowRef, watch } from 'vue';
import { api, asOne, take, type Schemas } from '@/api/client';
import { Problem } from '@/api/problem';
import { useDrive } from '@/data/drive';
import { learnPeople } from '@/data/people';
import { i18n } from '@/i18n';
import { toast } from '@/ui/toasts';
import { describe, type Activity } from './describe';

export interface Wanted {
  space: string;
  entry?: string;
}

export function useHistory(wanted: () => Wanted, pageSize: number) {
  const drive = useDrive();
  const { t } = i18n.global;
  const items = shallowRef<readonly Activity[] | null>(null);
  const next = shallowRef<string | null>(null);
  const problem = shallowRef<Problem | null>(null);
  /** The number of the change that is being taken back. */
  const busy = ref<number | null>(null);
  let turn = new AbortController();
  onScopeDispose(() => turn.abort());
  const toProblem = (error: unknown) => (error instanceof Problem ? error : Problem.offline(error));

  async function load(more = false): Promise<void> {
    turn.abort();
    turn = new AbortController();
    const { signal } = turn;
    try {
      const query = { ...wanted(), limit: pageSize, ...(more && next.value ? { cursor: next.value } : {}) };
      // It is a table of text as well, for those who ask for that.
      const page = (await take(api.GET('/api/v1/activity', { params: { query }, signal }))) as Schemas['Page_Activity'];
      if (signal.aborted) return;
      items.value = more ? [...(items.value ?? []), ...page.items] : page.items;
      next.value = page.next_cursor ?? null;
      problem.value = null;
      void learnPeople(
        drive.db,
        page.items.flatMap((it) => it.actor ?? []),
      ).catch(() => undefined);
    } catch (error) {
      if (!signal.aborted) problem.value = toProblem(error);
    }
  }
  watch(
    () => [wanted().space, wanted().entry],
    () => {
      items.value = null;
      next.value = null;
      problem.value = null;
      void load();
    },
    { immediate: true },
  );

  /** A change is taken back by who made it, and only while nothing has. */
  const mayTakeBack = (it: Activity) => it.undoable && it.actor === drive.user.id;

  async function takeBack(it: Activity): Promise<void> {
    busy.value = it.sequence;
    try {
      const body = { space_id: it.space_id, sequence: it.sequence };
      await asOne((header) => take(api.POST('/api/v1/undo', { params: { header }, body })));
      toast(t('toasts.undone', { what: describe(it) }));
      drive.sync.kick();
      await load();
    } catch (error) {
      const failed = toProblem(error);
      toast(failed.status === 0 ? t('activity.offline') : failed.message, { tone: 'danger' });
    } finally {
      busy.value = null;
    }
  }

  return { items, next, problem, busy, load, mayTakeBack, takeBack };
}
