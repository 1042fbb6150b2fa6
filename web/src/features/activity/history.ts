// What was done, page by page, newest first: in a space, or to one entry of it. One's own can be taken back from here.
import { ref, watch } from 'vue';
import { api, asOne, take, type Schemas } from '@/api/client';
import { Problem } from '@/api/problem';
import { usePages } from '@/app/usePages';
import { tellProblem } from '@/app/problems';
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
  /** The number of the change that is being taken back. */
  const busy = ref<number | null>(null);
  const { items, next, problem, load, loadAnew } = usePages<Activity>(async (cursor, signal) => {
    const query = { ...wanted(), limit: pageSize, cursor };
    // It is a table of text as well, for those who ask for that.
    const page = (await take(api.GET('/api/v1/activity', { params: { query }, signal }))) as Schemas['Page_Activity'];
    const actors = page.items.flatMap((it) => it.actor ?? []);
    void learnPeople(drive.db, actors).catch(() => undefined);
    return page;
  });
  watch(() => [wanted().space, wanted().entry], loadAnew, { immediate: true });

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
      const failed = Problem.of(error);
      void tellProblem(failed, t('activity.offline'));
    } finally {
      busy.value = null;
    }
  }

  return { items, next, problem, busy, load, mayTakeBack, takeBack };
}
