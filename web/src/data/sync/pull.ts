// Bringing the local copy of a space up to date: page by page from where the last pull stopped.
import { api, take, type Schemas } from '@/api/client';
import { isProblem } from '@/api/problem';
import type { DriveDb, Entry, Role, SharedRow, SpaceRow } from '../db';
import { pullTags } from '../marks';
import type { Away } from './review';
import { dropSpace, putEntries, removeBelow, removeTrees } from './store';

const pageSize = 1000;
/** Pages per pull; what is left comes with the next one. Bounds a pull against a server that never says it is done. */
const maxPages = 10_000;
const maxSharedPages = 20;

export type Change = Omit<Schemas['Change'], 'entry'> & { entry?: Entry | null };

/** Learns the spaces that the account sees whole. A cursor that is known stays. */
export async function pullSpaces(db: DriveDb): Promise<void> {
  const page = await take(api.GET('/api/v1/spaces', { params: { query: { limit: 1000 } } }));
  await db.transaction('rw', db.spaces, db.entries, async () => {
    for (const space of page.items) {
      const known = await db.spaces.get(space.id);
      // What was a part so far is pulled again as a whole.
      const goesOn = known && !known.partial;
      await db.spaces.put({
        id: space.id,
        kind: space.kind,
        name: space.name,
        owner_id: space.owner_id,
        root_id: space.root_id,
        used_bytes: space.used_bytes,
        reserved_bytes: space.reserved_bytes,
        quota_bytes: space.quota_bytes,
        role: space.role as Role,
        cursor: goesOn ? known.cursor : undefined,
        complete: goesOn ? known.complete : undefined,
        large: goesOn ? known.large : undefined,
      });
      if (space.kind === 'team' && known && known.name !== space.name)
        await db.entries.update(space.root_id, { name: space.name });
    }
    const listed = new Set(page.items.map((space) => space.id));
    for (const space of await db.spaces.toArray())
      if (!space.partial && !listed.has(space.id)) await dropSpace(db, space.id);
  });
}

/** Learns what others share with the account out of spaces that it does not see whole, and forgets what they no longer do. */
export async function pullShared(db: DriveDb): Promise<void> {
  const items: Schemas['Shared'][] = [];
  let cursor: string | undefined;
  for (let page = 0; page < maxSharedPages; page += 1) {
    const answer = await take(api.GET('/api/v1/shared-with-me', { params: { query: { limit: pageSize, cursor } } }));
    items.push(...answer.items);
    cursor = answer.next_cursor ?? undefined;
    if (!cursor) break;
  }
  const rows = items.map(({ grant, entry, space_id, shared_by }): SharedRow => ({
    id: grant.id,
    entry_id: entry.id,
    space_id,
    entry: entry,
    role: grant.role as Role,
    expires_at: grant.expires_at,
    shared_by,
  }));
  await db.transaction('rw', db.spaces, db.entries, db.shared, async () => {
    await db.shared.clear();
    await db.shared.bulkPut(rows);
    const wanted = new Set(rows.map((row) => row.space_id));
    for (const space of await db.spaces.toArray()) {
      if (space.partial && !wanted.has(space.id)) await dropSpace(db, space.id);
      wanted.delete(space.id);
    }
    for (const id of wanted)
      await db.spaces.put({
        id,
        kind: 'personal',
        name: '',
        root_id: '',
        used_bytes: 0,
        reserved_bytes: 0,
        partial: true,
      });
  });
}

/** Pulls until there is no more. Returns how many changes came. */
export async function pullSpace(db: DriveDb, spaceId: string, away: Away | null = null): Promise<number> {
  const space = await db.spaces.get(spaceId);
  if (!space) return 0;
  // The folder of a team that was learned of elsewhere has no name yet.
  const root = space.partial ? null : await db.entries.get(space.root_id);
  if (root === undefined || (root?.name === '' && space.kind === 'team')) await pullRoot(db, space);
  let cursor = space.cursor ?? (await pullSnapshot(db, spaceId));
  let count = 0;
  for (let page = 0; page < maxPages; page += 1) {
    let answer;
    try {
      answer = await take(
        api.GET('/api/v1/spaces/{id}/changes', {
          params: { path: { id: spaceId }, query: { since: cursor, limit: pageSize } },
        }),
      );
    } catch (error) {
      if (!isProblem(error, 'cursor-gone')) throw error;
      await forgetSpace(db, spaceId);
      return count + (await pullSpace(db, spaceId));
    }
    const changes = answer.items as unknown as Change[];
    await applyPage(db, spaceId, changes, answer.next, space.complete ? away : null, !space.complete);
    if (!answer.more) await db.spaces.update(spaceId, { complete: true });
    count += changes.length;
    cursor = answer.next;
    if (!answer.more) break;
  }
  return count;
}

/**
 * Begins with a space: all its entries as they are now, while others go on changing them. Returns from where on the journal
 * makes that right; what an earlier beginning that was cut off left behind, and is not there any more, goes.
 */
async function pullSnapshot(db: DriveDb, spaceId: string): Promise<string> {
  const seen = new Set<string>();
  let cursor: string | undefined;
  // Large spaces take a while, and their tags stand beside what is already there.
  await pullTagsSeen(db, spaceId);
  for (let page = 0; page < maxPages; page += 1) {
    const answer = await take(
      api.GET('/api/v1/spaces/{id}/entries', {
        params: { path: { id: spaceId }, query: { limit: pageSize, cursor } },
      }),
    );
    const entries = answer.items as unknown as Entry[];
    await putEntries(db, entries);
    for (const entry of entries) seen.add(entry.id);
    cursor = answer.next_cursor ?? undefined;
    if (cursor && page === 0) await db.spaces.update(spaceId, { large: true });
    if (cursor) continue;
    await pullTagsSeen(db, spaceId);
    await db.transaction('rw', db.entries, db.spaces, async () => {
      const root = (await db.spaces.get(spaceId))?.root_id;
      const stale = (entry: Entry) => entry.space_id === spaceId && entry.id !== root && !seen.has(entry.id);
      await db.entries.filter(stale).delete();
      await db.spaces.update(spaceId, { cursor: answer.since });
    });
    return answer.since;
  }
  throw new Error('the server goes on listing a space without an end');
}

async function pullRoot(db: DriveDb, space: SpaceRow): Promise<void> {
  const root = (await take(api.GET('/api/v1/folders/{id}', { params: { path: { id: space.root_id } } }))) as Entry;
  await putEntries(db, [{ ...root, name: space.kind === 'team' ? space.name : root.name }]);
}

/** The journal can no longer be continued: start over. Waiting operations stay, they are the person's own work. */
async function forgetSpace(db: DriveDb, spaceId: string): Promise<void> {
  await db.transaction('rw', db.spaces, db.entries, async () => {
    await db.entries.filter((entry) => entry.space_id === spaceId).delete();
    await db.spaces.update(spaceId, { cursor: undefined, complete: false });
  });
  const space = await db.spaces.get(spaceId);
  if (space && !space.partial) {
    await pullRoot(db, space);
  }
}

/** Writes down changes that go on from the cursor, and then that they are known: a page that ends in between comes again. */
export async function applyPage(
  db: DriveDb,
  spaceId: string,
  changes: readonly Change[],
  next: string,
  away: Away | null,
  beginning = false,
): Promise<void> {
  await away?.pulled(db, changes);
  await tellOf(db, spaceId, changes);
  await applyChanges(db, changes, spaceId, beginning);
  // What the tags of the space are stands in no change: it is asked for before the cursor goes on, so that a page that
  // could not be finished asks again.
  if (changes.some((change) => change.kind === 'tags')) await pullTagsSeen(db, spaceId);
  await db.spaces.update(spaceId, { cursor: next });
}

/** What others did is told in the bell, unless this device learns the space only now. That this fails holds up nothing. */
async function tellOf(db: DriveDb, spaceId: string, changes: readonly Change[]): Promise<void> {
  try {
    if (changes.length === 0 || !(await db.spaces.get(spaceId))?.complete) return;
    const { noteChanges } = await import('../notices/journal');
    await noteChanges(db, changes);
  } catch (error) {
    console.warn('changes of others could not be told', error);
  }
}

async function pullTagsSeen(db: DriveDb, spaceId: string): Promise<void> {
  if ((await db.spaces.get(spaceId))?.partial) return;
  try {
    await pullTags(db, spaceId);
  } catch (error) {
    // Who may not see them is not held up by them.
    if (!isProblem(error) || error.passing) throw error;
  }
}

/**
 * Plays changes of a space. The journal of another one may have told already that something is there now: what this one says
 * of before does not take it back. `beginning`: they follow a snapshot, and a folder may have come when the pages where its
 * content belongs were read already.
 */
export async function applyChanges(
  db: DriveDb,
  changes: readonly Change[],
  spaceId?: string,
  beginning = false,
): Promise<void> {
  // Only the last word about an entry counts, but a tree that was removed takes its children along at that very moment:
  // the changes are played in order, in runs that are as long as possible.
  let run = new Map<string, Entry>();
  const flush = async () => {
    await putEntries(db, await notElsewhere(db, [...run.values()]));
    run = new Map();
  };
  for (const change of changes) {
    if (!change.entry) {
      // Deleted or trashed: it is no part of the tree any more.
      await flush();
      const known = await db.entries.get(change.entry_id);
      const elsewhere = known !== undefined && spaceId !== undefined && known.space_id !== spaceId;
      // What is in it and was not told there of is gone from there, or stands in what is told next.
      if (elsewhere && change.kind === 'left') await removeBelow(db, change.entry_id, spaceId);
      // It may have come out of the trash, and gone elsewhere, since.
      else if (!(known && change.kind === 'trashed' && known.revision > change.revision))
        await removeTrees(db, [change.entry_id]);
    } else {
      // A folder that comes into sight with what is in it, whatever brought it: a copy, the trash, a role, a move.
      const whole =
        change.entry.kind === 'folder' &&
        change.kind !== 'created' &&
        (beginning ||
          change.kind === 'copied' ||
          change.kind === 'restored' ||
          change.arrived === true ||
          (run.get(change.entry_id) ?? (await db.entries.get(change.entry_id)))?.space_id !== change.entry.space_id);
      run.set(change.entry_id, change.entry);
      if (whole) {
        await flush();
        await pullTree(db, change.entry.id);
      }
    }
  }
  await flush();
}

/** Without states from before a move to another space: below what moved they have the same revision as those of after it. */
export async function notElsewhere(db: DriveDb, entries: readonly Entry[]): Promise<Entry[]> {
  const known = await db.entries.bulkGet(entries.map((entry) => entry.id));
  return entries.filter((entry, at) => {
    const before = known[at];
    return !before || before.space_id === entry.space_id || before.revision < entry.revision;
  });
}

/** A copied or restored folder is one change in the journal: what is in it has to be listed. */
export async function pullTree(db: DriveDb, folder: string): Promise<void> {
  const queue = [folder];
  for (let at = queue.shift(); at !== undefined; at = queue.shift()) {
    let cursor: string | undefined;
    do {
      let page;
      try {
        page = await take(
          api.GET('/api/v1/folders/{id}/children', { params: { path: { id: at }, query: { limit: 1000, cursor } } }),
        );
      } catch (error) {
        // Removed since: a later change says so.
        if (isProblem(error, 'not-found')) break;
        throw error;
      }
      const entries = page.items as unknown as Entry[];
      await putEntries(db, entries);
      queue.push(...entries.filter((entry) => entry.kind === 'folder').map((entry) => entry.id));
      cursor = page.next_cursor ?? undefined;
    } while (cursor);
  }
}
