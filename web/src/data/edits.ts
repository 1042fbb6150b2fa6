// What people say of entries and write into them: tags, favourites, descriptions, properties, texts. All of it is written
// down here first and sent when there is a connection.
import type { Entry } from './db';
import type { Drive } from './drive';
import type { Tag } from './marks';
import { enqueue } from './outbox/enqueue';
import type { Describe, OpInput, Write } from './outbox/ops';
import { becameOf } from './outbox/texts';
import type { Item } from './project';
import * as read from './read';

/** As many as one call takes. */
const most = 1000;

function* parts<T>(all: readonly T[]): Generator<T[]> {
  for (let from = 0; from < all.length; from += most) yield all.slice(from, from + most);
}

const holds = (item: Pick<Entry, 'tags'>, tag: Tag) =>
  (item.tags ?? []).some((id) => id === tag.id || tag.merged_ids.includes(id));

/** Puts a tag on entries, or takes it off. Returns the ids of those that were not so already. */
export async function setTag(drive: Drive, tag: Tag, ids: readonly string[], on: boolean): Promise<string[]> {
  const items = (await Promise.all(ids.map((id) => read.item(drive.db, id)))).filter((item) => item !== null);
  const wanted = items.filter((item) => holds(item, tag) !== on);
  const name = wanted[0]?.name ?? '';
  await drive.queue(
    [...parts(wanted)].map((some) => ({
      kind: 'tag',
      entries: some.map((item) => item.id),
      tag: tag.id,
      merged: tag.merged_ids,
      tagName: tag.name,
      name,
      on,
    })),
  );
  return wanted.map((item) => item.id);
}

/** Returns the ids of those that were not so already. */
export async function setStar(drive: Drive, ids: readonly string[], on: boolean): Promise<string[]> {
  const starred = await read.starred(drive.db);
  const wanted = ids.filter((id) => starred.has(id) !== on);
  const name = (wanted[0] && (await read.item(drive.db, wanted[0]))?.name) ?? '';
  await drive.queue([...parts(wanted)].map((entries) => ({ kind: 'star', entries, name, on })));
  return wanted;
}

/** What of an entry was seen when somebody began to change what is said of it. */
export const seenOf = (item: Item): Describe['before'] => ({
  name: item.name,
  parent: item.parent_id ?? '',
  revision: item.revision,
  description: item.description ?? null,
  properties: item.properties ?? {},
});

export async function describe(
  drive: Drive,
  entry: string,
  before: Describe['before'],
  change: Pick<Describe, 'description' | 'properties'>,
): Promise<void> {
  await drive.queue([{ kind: 'describe', entry, ...change, before }]);
}

/** A new version of a text on top of the one that was read; `id` is what it was tried under already. */
export async function writeText(
  drive: Drive,
  item: Pick<Item, 'id' | 'name' | 'parent_id' | 'space_id' | 'content_type'>,
  text: string,
  read: Pick<Write['base'], 'version' | 'etag'> & Pick<Write, 'after'>,
  id: string = crypto.randomUUID(),
): Promise<void> {
  const { db } = drive;
  const place = { name: item.name, parent: item.parent_id ?? '', space: item.space_id };
  // The words and the operation that carries them are both there, or neither.
  await db.transaction('rw', db.ops, db.aliases, db.entries, db.texts, async () => {
    // What it was typed on may have waited then, and have reached the server since.
    const became = read.after === undefined ? null : await becameOf(db, item.id, read.after);
    const { version, etag } = became ?? read;
    await db.texts.put({ id, text });
    const op: OpInput<Write> = {
      id,
      kind: 'write',
      entry: item.id,
      size: new TextEncoder().encode(text).length,
      content_type: item.content_type ?? 'text/plain',
      base: { ...place, version, etag },
      ...(read.after !== undefined && !became ? { after: read.after } : {}),
    };
    await enqueue(db, [op]);
  });
  drive.sync.kick();
}
