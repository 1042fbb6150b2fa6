// Tags, kept here so that a list can show what has them without asking. What is changed here goes through the outbox: see
// `edits.ts`. The journal tells of tags, and the pull asks for them then. Favourites: see `stars.ts`.
import { api, take, type Schemas } from '@/api/client';
import type { DriveDb, Entry } from './db';

export type Tag = Schemas['Tag'];
export const colours = ['red', 'orange', 'yellow', 'green', 'teal', 'blue', 'purple', 'grey'] as const;
export type Colour = (typeof colours)[number];
/** A newer server may know more colours. */
export const colourOf = (tag: Pick<Tag, 'colour'>): Colour => colours.find((one) => one === tag.colour) ?? 'grey';

export async function pullTags(db: DriveDb, space: string): Promise<void> {
  const { items } = await take(api.GET('/api/v1/spaces/{id}/tags', { params: { path: { id: space } } }));
  await db.transaction('rw', db.tags, async () => {
    await db.tags.where('space_id').equals(space).delete();
    await db.tags.bulkPut(items);
  });
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
