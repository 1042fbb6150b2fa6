// Moving and copying as one call to the server: what only it can do, which is merging, replacing, and crossing spaces.
import { api, asOne, take } from '@/api/client';
import { Problem } from '@/api/problem';
import { wordsOf } from '@/app/problems';
import type { Drive } from '@/data/drive';
import type { Item } from '@/data/project';
import { i18n } from '@/i18n';
import { toast } from '@/ui/toasts';
import { ruleFor, type Choice } from './clash';
import type { Step } from './history';

/** As many as one call takes. */
const most = 1000;

interface Wish {
  do: 'move' | 'copy';
  id: string;
  parent_id: string;
  name?: string;
  on_conflict: string;
  on_conflict_files?: string;
}
interface Result {
  id: string;
  outcome: string;
  error?: { code?: string; detail?: string | null } | null;
}

/** All of them as one operation. The local copy learns of it by the next pull. */
async function bulk(drive: Drive, wishes: readonly Wish[], operation: string): Promise<Result[]> {
  const results: Result[] = [];
  try {
    for (let from = 0; from < wishes.length; from += most) {
      const items = wishes.slice(from, from + most);
      const send = (header: { 'Operation-Id': string }) =>
        take(api.POST('/api/v1/bulk', { params: { header }, body: { items } }));
      results.push(...((await asOne(send, operation)).items as unknown as Result[]));
    }
    return results;
  } finally {
    drive.sync.doubt();
  }
}

const { t } = i18n.global;
function why(error: unknown): string {
  const it = error instanceof Problem ? error : Problem.offline(error);
  return wordsOf(it, t('clash.offline'));
}
const whyNot = ({ code, detail }: NonNullable<Result['error']>) =>
  wordsOf({ status: 409, code: code ?? '', message: detail ?? '' });
const refusalOf = (refused: readonly Result[]) =>
  t('clash.refused', { count: refused.length, why: refused[0]?.error ? whyNot(refused[0].error) : '' });

/** The way back as the server knows it. */
function taken(drive: Drive, path: '/api/v1/undo' | '/api/v1/redo', space: string, operation: string): Step['undo'] {
  return async () => {
    const body = { space_id: space, operation_id: operation };
    try {
      await asOne((header) => take(api.POST(path, { params: { header }, body })));
    } catch (error) {
      return why(error);
    } finally {
      drive.sync.doubt();
    }
  };
}

/** The server takes back nothing that crossed spaces: what moved is moved again, to where and what it was. */
function moved(drive: Drive, places: readonly { id: string; parent: string; name: string }[]): Step['undo'] {
  return async () => {
    const wishes = places.map(({ id, parent, name }) => ({
      do: 'move' as const,
      id,
      parent_id: parent,
      name,
      on_conflict: 'fail',
    }));
    try {
      const refused = (await bulk(drive, wishes, crypto.randomUUID())).filter((one) => one.error);
      if (refused.length > 0) return refusalOf(refused);
    } catch (error) {
      return why(error);
    }
  };
}

/** The step that was done, or null where nothing was. What went wrong is said. */
export async function bulkTransfer(
  drive: Drive,
  what: readonly Item[],
  target: Pick<Item, 'id' | 'space_id'>,
  mode: 'move' | 'copy',
  choice: Choice,
): Promise<Step | null> {
  const operation = crypto.randomUUID();
  const wishes = what.map((item) => ({
    do: mode,
    id: item.id,
    parent_id: target.id,
    on_conflict: ruleFor(choice, item),
    on_conflict_files: ruleFor(choice, item) === 'merge' ? 'rename' : undefined,
  }));
  let results: Result[];
  try {
    results = await bulk(drive, wishes, operation);
  } catch (error) {
    toast(why(error), { tone: 'danger' });
    return null;
  }
  const refused = results.filter((one) => one.error);
  const skipped = results.filter((one) => one.outcome === 'skipped').length;
  const count = results.length - refused.length - skipped;
  if (refused.length > 0) toast(refusalOf(refused), { tone: 'danger' });
  const text = [
    count > 0 && t(mode === 'move' ? 'clash.moved' : 'clash.copied', { count }, count),
    skipped > 0 && t('clash.skipped', { count: skipped }),
  ]
    .filter(Boolean)
    .join(', ');
  if (count === 0) {
    if (text) toast(text);
    return null;
  }
  if (mode === 'move' && what.some((item) => item.space_id !== target.space_id)) {
    const gone = new Set(results.filter((one) => !one.error && one.outcome !== 'skipped').map((one) => one.id));
    const went = what.filter((item) => gone.has(item.id));
    const before = went.map((item) => ({ id: item.id, parent: item.parent_id ?? '', name: item.name }));
    const after = went.map((item) => ({ id: item.id, parent: target.id, name: item.name }));
    return { text, undo: moved(drive, before), redo: moved(drive, after) };
  }
  const way = (path: '/api/v1/undo' | '/api/v1/redo') => taken(drive, path, target.space_id, operation);
  return { text, undo: way('/api/v1/undo'), redo: way('/api/v1/redo') };
}
