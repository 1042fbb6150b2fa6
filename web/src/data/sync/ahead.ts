// A space that a device sees for the first time is learned in the order in which its entries were made, and a large one takes
// a while. What is in the open folder is asked for beside it: until then it would look like less than it is.
import { api, take } from '@/api/client';
import { isProblem } from '@/api/problem';
import type { DriveDb, Entry } from '../db';
import { realId } from '../read';
import { notElsewhere } from './pull';
import { putEntries } from './store';

const maxDepth = 256;

/**
 * Learns a folder, all that is directly in it, and the folders above it, and stops where the space was learned meanwhile.
 * `onShown` is called after every 1,000 of its entries, which come by name, and when there is no more to wait for: with how
 * many there are once all have come, and with `Infinity` while that is not known.
 */
export async function lookAhead(db: DriveDb, folder: string, onShown: (count: number) => void): Promise<void> {
  try {
    const id = await realId(db, folder);
    const opened = await learnFolder(db, id);
    if (!opened) return;
    let cursor: string | undefined;
    let count = 0;
    do {
      const page = await take(
        api.GET('/api/v1/folders/{id}/children', { params: { path: { id }, query: { limit: 1000, cursor } } }),
      );
      if (!(await putBefore(db, page.items))) return;
      count += page.items.length;
      cursor = page.next_cursor ?? undefined;
      onShown(cursor ? Infinity : count);
    } while (cursor);
    let above = opened.parent_id;
    for (let depth = 0; above && depth < maxDepth; depth += 1) above = (await learnFolder(db, above))?.parent_id;
  } catch (error) {
    console.warn('a folder could not be asked for', error);
    onShown(Infinity);
  }
}

/** A folder as it is known here or to the server; null where it is not to be seen. */
async function learnFolder(db: DriveDb, id: string): Promise<Entry | null> {
  const known = await db.entries.get(id);
  if (known) return known;
  try {
    const folder = (await take(api.GET('/api/v1/folders/{id}', { params: { path: { id } } }))) as Entry;
    return (await putBefore(db, [folder])) ? folder : null;
  } catch (error) {
    if (isProblem(error, 'not-found')) return null;
    throw error;
  }
}

/**
 * Writes down what was asked for beside the first pull of its space, while that is not at its end: there, what it has not
 * seen itself goes, and the journal tells the rest. Later, nothing would take back what was removed since it was asked for.
 */
async function putBefore(db: DriveDb, entries: readonly Entry[]): Promise<boolean> {
  if (entries.length === 0) return true;
  return db.transaction('rw', db.entries, db.spaces, async () => {
    const space = await db.spaces.get(entries[0]!.space_id);
    if (!space || space.cursor !== undefined) return false;
    const named = (entry: Entry) =>
      entry.id === space.root_id && space.kind === 'team' ? { ...entry, name: space.name } : entry;
    await putEntries(db, (await notElsewhere(db, entries)).map(named));
    return true;
  });
}
