// What people are called, asked for once and kept here.
import { api, take } from '@/api/client';
import type { DriveDb } from './db';

/** More names than this are forgotten together; they are cheap to ask for again. */
const most = 2_000;

export async function learnPeople(db: DriveDb, ids: Iterable<string>): Promise<void> {
  for (const id of new Set(ids)) {
    if (await db.people.get(id)) continue;
    const user = await take(api.GET('/api/v1/users/{id}', { params: { path: { id } } })).catch(() => null);
    if (!user) continue;
    if ((await db.people.count()) >= most) await db.people.clear();
    await db.people.put({ id, name: user.display_name || user.name });
  }
}
