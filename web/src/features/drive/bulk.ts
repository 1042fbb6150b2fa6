// Moving and copying as one call to the server: what only it can do, which is merging, replacing, and crossing spaces.
import { api, asOne, take } from '@/api/client';
import { Problem } from '@/api/problem';
import type { Drive } from '@/data/drive';
import type { Item } from '@/data/project';
import { i18n } from '@/i18n';
import { toast } from '@/ui/toasts';
import { ruleFor, type Choice } from './clash';
import type { Step } from './history';

/** As many as one call takes. */
const most = 1000;

/** The step that was done, or null where nothing was. What went wrong is said. */
export async function bulkTransfer(
  drive: Drive,
  what: readonly Item[],
  parent: string,
  mode: 'move' | 'copy',
  choice: Choice,
): Promise<Step | null> {
  const { t } = i18n.global;
  const operation = crypto.randomUUID();
  const results: { outcome: string; error?: { detail?: string | null } | null }[] = [];
  try {
    for (let from = 0; from < what.length; from += most) {
      const items = what.slice(from, from + most).map((item) => ({
        do: mode,
        id: item.id,
        parent_id: parent,
        on_conflict: ruleFor(choice, item),
        on_conflict_files: ruleFor(choice, item) === 'merge' ? 'rename' : undefined,
      }));
      const send = (header: { 'Operation-Id': string }) =>
        take(api.POST('/api/v1/bulk', { params: { header }, body: { items } }));
      const answer = await asOne(send, operation);
      results.push(...(answer.items as unknown as typeof results));
    }
  } catch (error) {
    const it = error instanceof Problem ? error : Problem.offline(error);
    toast(it.status === 0 ? t('clash.offline') : it.message, { tone: 'danger' });
    return null;
  } finally {
    drive.sync.doubt();
  }
  const refused = results.filter((one) => one.error);
  const skipped = results.filter((one) => one.outcome === 'skipped').length;
  const count = results.length - refused.length - skipped;
  if (refused.length > 0)
    toast(t('clash.refused', { count: refused.length, why: refused[0]!.error?.detail ?? '' }), { tone: 'danger' });
  const said = [
    count > 0 && t(mode === 'move' ? 'clash.moved' : 'clash.copied', { count }, count),
    skipped > 0 && t('clash.skipped', { count: skipped }),
  ]
    .filter(Boolean)
    .join(', ');
  if (count === 0) {
    if (said) toast(said);
    return null;
  }
  const spaces = new Set(what.map((item) => item.space_id));
  const again = (path: '/api/v1/undo' | '/api/v1/redo') => async (): Promise<string | void> => {
    try {
      for (const space of spaces) {
        const body = { space_id: space, operation_id: operation };
        await asOne((header) => take(api.POST(path, { params: { header }, body })));
      }
    } catch (error) {
      const it = error instanceof Problem ? error : Problem.offline(error);
      return it.status === 0 ? t('clash.offline') : it.message;
    } finally {
      drive.sync.doubt();
    }
  };
  return { text: said, undo: again('/api/v1/undo'), redo: again('/api/v1/redo') };
}
