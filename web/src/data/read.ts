// Reading the tree for the screen. All are plain queries of the local database, so `liveQuery` can watch them. It loses
// sight of a query that waits for anything but the database, so nothing here awaits what is known already.
import type { DriveDb, Entry } from './db';
import { Projection, type Item } from './project';

export async function projection(db: DriveDb): Promise<Projection> {
  return new Projection(await db.ops.orderBy('seq').toArray());
}

/** The id the server knows an entry by: another one than it was made under only where it was merged with what was there. */
export async function realId(db: DriveDb, id: string): Promise<string> {
  return (await db.aliases.get(id))?.real ?? id;
}

export async function children(db: DriveDb, folder: string, kind?: 'folder'): Promise<Item[]> {
  const id = await realId(db, folder);
  const view = await projection(db);
  const stored = kind
    ? await db.entries.where({ parent_id: id, kind }).toArray()
    : await db.entries.where('parent_id').equals(id).toArray();
  const moved = view.movedInto(id);
  const arrivals = moved.length > 0 ? (await db.entries.bulkGet(moved)).filter((entry) => entry !== undefined) : [];
  const items = view.children(id, stored, arrivals);
  return kind ? items.filter((item) => item.kind === kind) : items;
}

export async function item(db: DriveDb, id: string): Promise<Item | null> {
  const real = await realId(db, id);
  const view = await projection(db);
  const entry = await db.entries.get(real);
  return entry ? view.apply(entry) : view.madeHere(real);
}

/** Those of the entries that are known and not to be gone, in the order in which they were asked for. */
export async function items(db: DriveDb, ids: readonly string[]): Promise<Item[]> {
  const view = await projection(db);
  return (await db.entries.bulkGet([...ids])).flatMap((entry) => (entry && view.apply(entry)) ?? []);
}

/** The folders from the root down to and with an entry. Empty when the entry is not known. */
export async function trail(db: DriveDb, id: string): Promise<Item[]> {
  const view = await projection(db);
  const path: Item[] = [];
  let at: string | null | undefined = await realId(db, id);
  while (at && path.length < 256) {
    const entry: Entry | undefined = await db.entries.get(at);
    const step: Item | null = entry ? view.apply(entry) : view.madeHere(at);
    // What is shared out of somebody's space has folders above it that are not to be seen.
    if (!step) break;
    path.unshift(step);
    at = step.parent_id;
  }
  return path;
}

/** What is among one's favourites, with what waits to be sent. */
export async function starred(db: DriveDb): Promise<Set<string>> {
  const ids = new Set(await db.stars.toCollection().primaryKeys());
  for (const op of await db.ops.orderBy('seq').toArray()) {
    if (op.kind !== 'star' || op.state === 'parked') continue;
    for (const id of op.entries) {
      if (op.on) ids.add(id);
      else ids.delete(id);
    }
  }
  return ids;
}
