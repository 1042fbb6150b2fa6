// Favourites and what is recent, kept here so that lists can show them without asking. Nobody else sees them, and nothing
// tells of what was done on another device: they are asked for when the page is looked at again and when the connection is
// back, and tags with them.
import { api, take } from '@/api/client';
import type { DriveDb, RecentRow } from './db';
import { pullTags } from './marks';

const pageSize = 1000;
const settledKey = 'stars';
const settled = async (db: DriveDb) => (await db.seen.get(settledKey))?.seen.settled ?? 0;
/** Notes that a change of favourites has reached the server: an answer that was asked for before does not know it. */
export async function countSettled(db: DriveDb): Promise<void> {
  await db.seen.put({ id: settledKey, seen: { settled: (await settled(db)) + 1 } });
}

const mostTries = 4;
/** The server keeps no more favourites than one page of them. */
export async function pullStars(db: DriveDb): Promise<void> {
  for (let tries = 1; ; tries += 1) {
    const before = await settled(db);
    const { items } = await take(api.GET('/api/v1/favourites', { params: { query: { limit: pageSize } } }));
    const isNow = await db.transaction('rw', db.stars, db.seen, async () => {
      if ((await settled(db)) !== before && tries < mostTries) return false;
      await db.stars.clear();
      await db.stars.bulkPut(items.map(({ id }) => ({ id })));
      return true;
    });
    if (isNow) return;
  }
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

/** Of every space that is seen whole: the others have no say about tags. */
export async function pullMarks(db: DriveDb): Promise<void> {
  await pullStars(db);
  await pullRecent(db);
  for (const space of await db.spaces.toArray()) if (!space.partial) await pullTags(db, space.id);
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
