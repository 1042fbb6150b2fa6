// What people are called, asked for once and kept here.
import { computed } from 'vue';
import { api, take } from '@/api/client';
import type { DriveDb, Person } from './db';
import type { Drive } from './drive';
import { useLive } from './useLive';

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

/** What somebody is called, as far as it was learned. */
export function useNames(drive: Drive): (id: string) => string | null {
  const people = useLive(() => drive.db.people.toArray(), [] as Person[]);
  const names = computed(() => new Map(people.value.map((one) => [one.id, one.name])));
  return (id) => (id === drive.user.id ? drive.user.display_name : (names.value.get(id) ?? null));
}
