// Texts on their way to the server: as a new version of what was read, or as a file of their own.
import { filePath, readFile } from '@/api/files';
import { isProblem, Problem } from '@/api/problem';
import { authorizedFetch } from '@/api/session';
import type { DriveDb, Entry } from '../db';
import { fetchEntry, maxRaces, named, type Found } from './call';
import type { CreateFile, Theirs, Write } from './ops';
import type { Outcome } from './send';
import { textOf, theirText } from './texts';

/** Longer texts of others are not put beside ours. */
const maxShown = 2 * 1024 * 1024;

async function put(
  method: 'PUT' | 'POST',
  path: string,
  headers: Record<string, string>,
  text: string,
): Promise<Entry> {
  const response = await authorizedFetch(new Request(path, { method, headers, body: new TextEncoder().encode(text) }));
  if (!response.ok) throw await Problem.fromResponse(response);
  return (await response.json()) as Entry;
}

async function ownText(db: DriveDb, id: string): Promise<string> {
  const text = await textOf(db, id);
  // Not even then is an empty file written over a full one.
  if (text === null) throw new Problem(400, 'text-missing', 'The text is not on this device any more.');
  return text;
}

/** The bytes of a file as text; null where they are none. */
async function theirWords(now: Entry): Promise<string | null> {
  if ((now.size ?? 0) > maxShown) return null;
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(await readFile(now.id));
  } catch (error) {
    if (isProblem(error)) throw error;
    return null;
  }
}

export async function sendWrite(op: Write, db: DriveDb): Promise<Outcome> {
  const text = await ownText(db, op.id);
  let match = op.base.etag;
  for (let race = 0; ; race += 1) {
    try {
      const headers = { ...named(op), 'if-match': match, 'content-type': op.content_type };
      return { entry: await put('PUT', filePath(op.entry), headers, text) };
    } catch (error) {
      const moved = isProblem(error, 'precondition-failed');
      if (race >= maxRaces || !(moved || isProblem(error, 'not-found') || isProblem(error, 'in-trash'))) throw error;
      const now = await fetchEntry(op.entry);
      if (!now || now.trashed) return { entry: null, conflict: lost(now) };
      if (!moved) throw error;
      // The same bytes under another name or in another folder.
      if (now.version_id === op.base.version && now.etag && now.etag !== match) {
        match = now.etag;
        continue;
      }
      const words = await theirWords(now);
      if (words === text) return { entry: now };
      await keepTheirs(db, op.id, words);
      const { revision, modified_at: at, etag, version_id: version, size } = now;
      return { entry: now, conflict: { revision, at, etag, version, size } };
    }
  }
}

/** To be put beside ours. A device that has no room for it still tells of the conflict. */
async function keepTheirs(db: DriveDb, op: string, words: string | null): Promise<void> {
  try {
    if (words !== null) await db.texts.put({ id: theirText(op), text: words });
    else await db.texts.delete(theirText(op));
  } catch (error) {
    console.warn('their text could not be kept', error);
  }
}

const lost = (now: Found | null): Theirs => ({
  gone: now ? 'trash' : 'ever',
  revision: now?.revision ?? 0,
  at: new Date().toISOString(),
});

export async function sendNewText(op: CreateFile, db: DriveDb): Promise<Outcome> {
  const text = await ownText(db, op.id);
  const query = new URLSearchParams({ name: op.name, on_conflict: 'rename', id: op.temp, parent: op.parent });
  const create = () => put('POST', `/api/v1/files?${query}`, { ...named(op), 'content-type': op.content_type }, text);
  try {
    return told(op, await create());
  } catch (error) {
    // The folder is gone: rather in the root than nowhere.
    if (!isProblem(error, 'not-found') && !isProblem(error, 'in-trash')) throw error;
    query.delete('parent');
    const entry = await create();
    return { entry, note: { code: 'restored-elsewhere', name: entry.name } };
  }
}

/** Its name was taken, and it has got another one. */
const told = (op: CreateFile, entry: Entry): Outcome => ({
  entry,
  ...(entry.name === op.name ? {} : { note: { code: 'number-added' as const, name: entry.name, wanted: op.name } }),
});
