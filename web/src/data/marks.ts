// Tags, favourites and what is recent, kept here so that lists can show them without asking. Tags and favourites are changed
// with a connection. The journal tells of tags, and the pull asks for them then; of the others, which nobody else sees,
// nothing tells: they are asked for when the page is looked at again and when the connection is back.
import { api, take, type Schemas } from '@/api/client';
import type { DriveDb, Entry, RecentRow } from './db';
import { putEntries } from './sync/store';

export type Tag = Schemas['Tag'];
export const colours = ['red', 'orange', 'yellow', 'green', 'teal', 'blue', 'purple', 'grey'] as const;
export type Colour = (typeof colours)[number];
/** A newer server may know more colours. */
export const colourOf = (tag: Pick<Tag, 'colour'>): Colour => colours.find((one) => one === tag.colour) ?? 'grey';

const pageSize = 1000;
/** The server keeps no more favourites than one page of them. */
export async function pullStars(db: DriveDb): Promise<void> {
  const page = await take(api.GET('/api/v1/favourites', { params: { query: { limit: pageSize } } }));
  await db.transaction('rw', db.stars, async () => {
    await db.stars.clear();
    await db.stars.bulkPut(page.items.map(({ id }) => ({ id })));
  });
}

/** More of what one did lately is no list that anybody reads. */
const recentSize = 100;
export async function pullRecent(db: DriveDb): Promise<void> {
  const { items } = await take(api.GET('/api/v1/recent', { params: { query: { limit: recentSize } } }));
  const rows = items.map(({ entry, did, at }): RecentRow => ({
    id: entry.id,
    did: did === 'changed' ? 'changed' : 'opened',
    at,
  }));
  await db.transaction('rw', db.recent, async () => {
    await db.recent.clear();
    await db.recent.bulkPut(rows);
  });
}

export async function pullTags(db: DriveDb, space: string): Promise<void> {
  const { items } = await take(api.GET('/api/v1/spaces/{id}/tags', { params: { path: { id: space } } }));
  await db.transaction('rw', db.tags, async () => {
    await db.tags.where('space_id').equals(space).delete();
    await db.tags.bulkPut(items);
  });
}

/** Of every space that is seen whole: the others have no say about tags. */
export async function pullMarks(db: DriveDb): Promise<void> {
  await pullStars(db);
  await pullRecent(db);
  for (const space of await db.spaces.toArray()) if (!space.partial) await pullTags(db, space.id);
}

/** Tags by every id that stands for them: a tag that was merged into another one is that one. */
export function tagIndex(tags: readonly Tag[]): ReadonlyMap<string, Tag> {
  const index = new Map<string, Tag>();
  for (const tag of tags) for (const id of [tag.id, ...tag.merged_ids]) index.set(id, tag);
  return index;
}

/** The tags of an entry, each once and by name. Ids that stand for no tag are of deleted ones. */
export function tagsOf(entry: Pick<Entry, 'tags'>, index: ReadonlyMap<string, Tag>): Tag[] {
  const tags = new Set((entry.tags ?? []).map((id) => index.get(id)).filter((tag) => tag !== undefined));
  return [...tags].sort((a, b) => a.name.localeCompare(b.name));
}

/** Puts a tag on entries, or takes it off, in steps of what one call may hold. */
export async function setTag(db: DriveDb, tag: string, entries: readonly string[], on: boolean): Promise<void> {
  // What the server has not heard of cannot have any yet.
  const ids = (await db.entries.bulkGet([...entries])).flatMap((entry) => (entry ? [entry.id] : []));
  for (let from = 0; from < ids.length; from += pageSize) {
    const some = ids.slice(from, from + pageSize);
    const { items } = await take(
      api.POST('/api/v1/tags/{id}/entries', {
        params: { path: { id: tag } },
        body: on ? { put_on: some, take_off: [] } : { put_on: [], take_off: some },
      }),
    );
    await putEntries(db, items);
  }
}

export async function setStar(db: DriveDb, entries: readonly string[], on: boolean): Promise<void> {
  for (const id of entries) {
    const params = { params: { path: { id } } };
    if (on) {
      await take(api.PUT('/api/v1/entries/{id}/favourite', params));
      await db.stars.put({ id });
    } else {
      await take(api.DELETE('/api/v1/entries/{id}/favourite', params));
      await db.stars.delete(id);
    }
  }
}

const restMs = 20_000;
const steadyMs = 300_000;

/** Keeps both in step with what is done on other devices, until it is told to stop. */
export function followMarks(db: DriveDb, online: () => boolean): { ask: () => void; stop: () => void } {
  let askedAt = -Infinity;
  const ask = (atOnce = false) => {
    if (document.visibilityState !== 'visible' || !online()) return;
    if (!atOnce && performance.now() - askedAt < restMs) return;
    askedAt = performance.now();
    void pullMarks(db).catch(() => undefined);
  };
  const onLook = () => ask();
  document.addEventListener('visibilitychange', onLook);
  globalThis.addEventListener('focus', onLook);
  const timer = setInterval(onLook, steadyMs);
  ask(true);
  return {
    ask: () => ask(true),
    stop: () => {
      clearInterval(timer);
      document.removeEventListener('visibilitychange', onLook);
      globalThis.removeEventListener('focus', onLook);
    },
  };
}
