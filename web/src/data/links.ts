// The links that this account has made, kept here so that a list can mark what is shared without asking.
import { api, take } from '@/api/client';
import type { DriveDb, KeptLink } from './db';

const pageSize = 500;
/** More links than this are not kept here; bounds the pull against a server that never says it is done. */
const maxPages = 40;

/** Asks for all of them. What is not told any more is forgotten. */
export async function pullLinks(db: DriveDb): Promise<void> {
  const links: KeptLink[] = [];
  let cursor: string | undefined;
  for (let page = 0; page < maxPages; page += 1) {
    const answer = await take(api.GET('/api/v1/links', { params: { query: { limit: pageSize, cursor } } }));
    links.push(...answer.items);
    cursor = answer.next_cursor ?? undefined;
    if (!cursor) break;
  }
  await db.transaction('rw', db.links, async () => {
    await db.links.clear();
    await db.links.bulkPut(links);
  });
}

/** The links of one entry as they are now. */
export async function pullLinksOf(db: DriveDb, entry: string): Promise<void> {
  const page = await take(
    api.GET('/api/v1/entries/{id}/links', { params: { path: { id: entry }, query: { limit: pageSize } } }),
  );
  await db.transaction('rw', db.links, async () => {
    await db.links.where('entry_id').equals(entry).delete();
    await db.links.bulkPut(page.items);
  });
}
