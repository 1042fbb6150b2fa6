// The notices of an account on this device: added, made one with those before, read, and forgotten when they are many.
import type { DriveDb, Notice } from '../db';

/** The oldest are forgotten beyond this. */
export const mostNotices = 200;
/** What comes later than this after the first of its kind is told anew. */
const togetherMs = 6 * 3_600_000;

export type NewNotice = Omit<Notice, 'id' | 'read'>;

/** A notice of the same key that is new still, to which more can be added. */
export async function openNotice(db: DriveDb, key: string, at: string): Promise<Notice | null> {
  const known = (await db.notices.where('key').equals(key).toArray()).filter(
    (one) => !one.read && Math.abs(Date.parse(at) - Date.parse(one.at)) < togetherMs,
  );
  return known.sort((a, b) => (a.at < b.at ? 1 : -1))[0] ?? null;
}

export async function addNotice(db: DriveDb, notice: NewNotice): Promise<void> {
  await db.transaction('rw', db.notices, async () => {
    await db.notices.add({ ...notice, id: crypto.randomUUID(), read: false });
    const over = (await db.notices.count()) - mostNotices;
    if (over > 0) await db.notices.bulkDelete(await db.notices.orderBy('at').limit(over).primaryKeys());
  });
}

/** One that says how something is now, in the place of what was said of it before. */
export async function setNotice(db: DriveDb, notice: NewNotice): Promise<void> {
  await dropNotices(db, notice.key);
  await addNotice(db, notice);
}

export async function dropNotices(db: DriveDb, key: string): Promise<void> {
  await db.notices.where('key').equals(key).delete();
}

export async function readAll(db: DriveDb): Promise<void> {
  await db.notices.filter((one) => !one.read).modify({ read: true });
}
