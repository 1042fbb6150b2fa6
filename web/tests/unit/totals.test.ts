// Sizes of folders are told by the server: what cannot be asked for is not known, and nothing old is shown for it.
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { effectScope, reactive, shallowRef } from 'vue';
import type { Item } from '@/data/project';

const get = vi.fn();
vi.mock('@/api/client', () => ({ api: { GET: get }, take: (call: unknown) => call }));
const sync = reactive({ state: { link: 'online' } });
vi.mock('@/data/drive', () => ({
  useDrive: () => ({ db: { entries: { get: () => Promise.resolve({}) } }, sync }),
}));
const { useTotals } = await import('@/features/drive/totals');

const folder = (id: string) => ({ id, kind: 'folder', name: id }) as Item;
const answer = (bytes: number) =>
  Promise.resolve({ items: [{ id: 'a', total: { bytes, files: 1, folders: 0 } }], next_cursor: null });

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

it('forgets sizes that a change may have made wrong while nobody can tell the new ones', async () => {
  const scope = effectScope();
  const items = shallowRef<readonly Item[]>([folder('a')]);
  get.mockReturnValueOnce(answer(40));
  const totals = scope.run(() => useTotals(() => 'root', items))!;
  await vi.advanceTimersByTimeAsync(1_000);
  expect(totals.value.get('a')?.bytes).toBe(40);

  get.mockImplementationOnce(() => Promise.reject(new Error('no connection')));
  sync.state.link = 'offline';
  items.value = [folder('a'), folder('b')];
  await vi.advanceTimersByTimeAsync(1_000);
  expect(totals.value.get('a')).toBeUndefined();

  get.mockReturnValueOnce(answer(50));
  sync.state.link = 'online';
  await vi.advanceTimersByTimeAsync(1_000);
  expect(totals.value.get('a')?.bytes).toBe(50);
  scope.stop();
});
