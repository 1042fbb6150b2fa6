// What the keeper of notices asks the server for: failed jobs, all of them, and where they are seen.
import 'fake-indexeddb/auto';
import { reactive } from 'vue';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { DriveDb } from '@/data/db';
import type { Drive } from '@/data/drive';
import { NoticeKeeper } from '@/data/notices/keeper';

const { answers, asked } = vi.hoisted(() => ({ answers: {} as Record<string, unknown>, asked: [] as string[] }));
vi.mock('@/api/client', async (original) => ({
  ...(await original<object>()),
  api: {
    GET: (path: string) => (
      asked.push(path),
      Promise.resolve(
        path in answers
          ? { data: answers[path], response: new Response() }
          : { error: {}, response: new Response(null, { status: 404 }) },
      )
    ),
  },
}));

const askMs = 120_000;
let db: DriveDb;
let keeper: NoticeKeeper | null = null;
const watchFor = (permissions: string[]) => {
  const drive = {
    db,
    user: { id: 'usr_me', space_id: 'spc_me', permissions },
    sync: { state: reactive({ link: 'online', lastAt: 1 }) },
  };
  keeper = new NoticeKeeper(drive as unknown as Drive);
};
const queues = (...dead: number[]) => ({
  items: dead.map((count, at) => ({ kind: `kind ${at}`, waiting: 0, dead: count, lag_seconds: 0, cancellable: false })),
});
const notices = () => db.notices.toArray();

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'performance'] });
  db = new DriveDb(crypto.randomUUID());
  asked.length = 0;
  answers['/api/v1/links'] = { items: [], next_cursor: null };
});
afterEach(async () => {
  keeper?.close();
  keeper = null;
  vi.useRealTimers();
  await db.delete();
});

it('counts the failed jobs of all queues, leads to them, and takes it back when none is left', async () => {
  answers['/api/v1/admin/queues'] = queues(130, 0, 7);
  watchFor(['admin.nodes']);
  await vi.waitFor(async () => expect(await notices()).toMatchObject([{ kind: 'job', count: 137, to: '/admin/jobs' }]));
  answers['/api/v1/admin/queues'] = queues(0, 0, 0);
  vi.advanceTimersByTime(askMs);
  await vi.waitFor(async () => expect(await notices()).toEqual([]));
});

it('does not ask for whom it does not concern', async () => {
  answers['/api/v1/admin/queues'] = queues(3);
  watchFor([]);
  const rounds = () => asked.filter((path) => path === '/api/v1/links').length;
  await vi.waitFor(() => expect(rounds()).toBe(1));
  vi.advanceTimersByTime(askMs);
  // The first round was over when the second one began.
  await vi.waitFor(() => expect(rounds()).toBe(2));
  expect(asked).not.toContain('/api/v1/admin/queues');
});
