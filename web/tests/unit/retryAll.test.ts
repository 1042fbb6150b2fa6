// Trying again all work of a kind: every page of it, nothing of other kinds, and no end where somebody else was faster.
import { beforeEach, expect, it, vi } from 'vitest';
import { Problem } from '@/api/problem';
import { retryAll } from '@/features/admin/jobs/retryAll';

const calls = vi.hoisted(() => ({ GET: vi.fn(), POST: vi.fn() }));
vi.mock('@/api/client', () => ({ api: calls, take: (answer: unknown) => answer }));
beforeEach(() => vi.resetAllMocks());

const job = (id: string, kind = 'mail') => ({ id, kind });
const idsOf = () => calls.POST.mock.calls.map(([, { params }]) => (params as { path: { id: string } }).path.id).sort();

it('goes through all pages and leaves other kinds alone', async () => {
  calls.GET.mockResolvedValueOnce({
    items: [job('a'), job('x', 'files.repair')],
    next_cursor: 'two',
  }).mockResolvedValueOnce({ items: [job('b')], next_cursor: null });
  calls.POST.mockResolvedValue({});
  expect(await retryAll('mail')).toBe(2);
  expect(idsOf()).toEqual(['a', 'b']);
  expect(calls.GET.mock.calls[1]?.[1]).toMatchObject({ params: { query: { state: 'dead', cursor: 'two' } } });
});

it('passes over what is gone already, and stops at what is refused', async () => {
  calls.GET.mockResolvedValue({ items: [job('a'), job('b'), job('c')], next_cursor: null });
  calls.POST.mockImplementation((_: string, { params }: { params: { path: { id: string } } }) =>
    params.path.id === 'b' ? Promise.reject(new Problem(404, 'job-not-found', 'gone')) : Promise.resolve({}),
  );
  expect(await retryAll('mail')).toBe(2);
  calls.POST.mockRejectedValue(new Problem(403, 'permission-missing', 'no'));
  await expect(retryAll('mail')).rejects.toMatchObject({ code: 'permission-missing' });
});

it('does not ask for ever', async () => {
  calls.GET.mockResolvedValue({ items: [], next_cursor: 'again' });
  expect(await retryAll('mail')).toBe(0);
  expect(calls.GET).toHaveBeenCalledTimes(20);
});
