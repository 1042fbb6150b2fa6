// What people are called and what their picture is, asked for once in a while and kept here.
import { computed } from 'vue';
import { api, take } from '@/api/client';
import type { DriveDb, Person } from './db';
import type { Drive } from './drive';
import { useLive } from './useLive';

/** More names than this are forgotten together; they are cheap to ask for again. */
const most = 2_000;
/** People change their pictures now and then. */
const freshMs = 6 * 3_600_000;

export async function learnPeople(db: DriveDb, ids: Iterable<string>): Promise<void> {
  for (const id of new Set(ids)) {
    const known = await db.people.get(id);
    if (known?.at !== undefined && Date.now() - known.at < freshMs) continue;
    const user = await take(api.GET('/api/v1/users/{id}', { params: { path: { id } } })).catch(() => null);
    if (!user) continue;
    if ((await db.people.count()) >= most) await db.people.clear();
    await db.people.put({ id, name: user.display_name || user.name, picture: user.picture ?? null, at: Date.now() });
  }
}

/** What is known of somebody. */
export function usePeople(drive: Drive): (id: string) => Pick<Person, 'name' | 'picture'> | null {
  const people = useLive(() => drive.db.people.toArray(), [] as Person[]);
  const byId = computed(() => new Map(people.value.map((one) => [one.id, one])));
  return (id) =>
    id === drive.user.id
      ? { name: drive.user.display_name, picture: drive.user.picture }
      : (byId.value.get(id) ?? null);
}
