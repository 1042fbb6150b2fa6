// A browser short of room may clear what a page has kept, all at once and without a word. How many changes were still to be
// sent is noted apart from the database, so that a person can at least be told what was lost.
import { liveQuery, type Subscription } from 'dexie';
import type { DriveDb } from './db';

const keyOf = (userId: string) => `holdfast.unsent.${userId}`;

/** How many unsent changes a cleared database has taken along; 0 when it was not cleared, or had none. */
export async function lostChanges(db: DriveDb, userId: string): Promise<number> {
  const noted = Number(localStorage.getItem(keyOf(userId)) ?? 0);
  if (!Number.isInteger(noted) || noted <= 0) return 0;
  // The spaces are the first thing that is written down: without them this database has just been made.
  return (await db.spaces.count()) === 0 && (await db.ops.count()) === 0 ? noted : 0;
}

export function noteUnsent(db: DriveDb, userId: string): Subscription {
  return liveQuery(
    async () => (await db.ops.count()) + (await db.uploads.count()) + (await db.drafts.count()),
  ).subscribe((count) => {
    if (count > 0) localStorage.setItem(keyOf(userId), String(count));
    else localStorage.removeItem(keyOf(userId));
  });
}
