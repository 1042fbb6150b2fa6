// Writing down what the server told. An older state never replaces a newer one.
import type { DriveDb, Entry } from '../db';

export async function putEntries(db: DriveDb, entries: readonly Entry[]): Promise<void> {
  if (entries.length === 0) return;
  await db.transaction('rw', db.entries, async () => {
    const known = await db.entries.bulkGet(entries.map((entry) => entry.id));
    const newer = entries.filter((entry, at) => (known[at]?.revision ?? -1) <= entry.revision);
    await db.entries.bulkPut(newer);
    // A root has no name for the server: that of a team is called as its space is, which `pullSpaces` says.
    for (const before of known)
      if (before && !before.parent_id && before.name) await db.entries.update(before.id, { name: before.name });
  });
}

/** Forgets all that was known of a space. What waits to be sent stays. */
export async function dropSpace(db: DriveDb, spaceId: string): Promise<void> {
  await db.transaction('rw', db.entries, db.spaces, async () => {
    await db.entries.filter((entry) => entry.space_id === spaceId).delete();
    await db.spaces.delete(spaceId);
  });
}

/** Takes entries away with everything below them: the journal names only the top of a removed tree. */
export async function removeTrees(db: DriveDb, roots: readonly string[]): Promise<void> {
  await db.transaction('rw', db.entries, async () => {
    let level = [...roots];
    while (level.length > 0) {
      const below = await db.entries.where('parent_id').anyOf(level).primaryKeys();
      await db.entries.bulkDelete(level);
      level = below;
    }
  });
}

/** Takes away what is below a folder and said to be in this space, with everything below that. */
export async function removeBelow(db: DriveDb, folder: string, spaceId: string): Promise<void> {
  await db.transaction('rw', db.entries, async () => {
    let level = [folder];
    while (level.length > 0) {
      const below = await db.entries.where('parent_id').anyOf(level).toArray();
      await db.entries.bulkDelete(below.filter((entry) => entry.space_id === spaceId).map((entry) => entry.id));
      level = below.map((entry) => entry.id);
    }
  });
}
