// One operation, one call: what is sent for it, and what a refusal means. Nothing is dropped without a word: every
// outcome but plain success carries a note for the person.
import { api, take } from '@/api/client';
import { isProblem, type Problem } from '@/api/problem';
import type { DriveDb, Entry } from '../db';
import { etag, fetchEntry, gone, maxRaces, named } from './call';
import type { Op, Theirs } from './ops';
import { sendDescribe, sendStar, sendTag } from './sendMarks';
import { sendNewText, sendWrite } from './sendText';

/** What became of an operation, for the person to read. `name` is the entry's. */
export type Note =
  | { code: 'renamed-too'; name: string; theirs: string }
  | { code: 'number-added'; name: string; wanted: string }
  | { code: 'merged'; name: string }
  | { code: 'kept-edited'; name: string }
  | { code: 'restored-elsewhere'; name: string }
  /** `was` is what is in the trash, and can be had back. */
  | { code: 'gone'; name: string; was?: Entry };

export interface Outcome {
  /** The state the server has now; null when the entry is gone. */
  entry: Entry | null;
  /** Further entries as they are now, of an operation on many. */
  others?: readonly Entry[];
  note?: Note;
  /** Nothing was done: somebody else changed the same, and a person has to say what is to be. */
  conflict?: Theirs;
}

async function childByName(parent: string, name: string): Promise<Entry | null> {
  let cursor: string | undefined;
  do {
    const page = await take(
      api.GET('/api/v1/folders/{id}/children', { params: { path: { id: parent }, query: { limit: 1000, cursor } } }),
    );
    const hit = (page.items as unknown as Entry[]).find((entry) => entry.name === name);
    if (hit) return hit;
    cursor = page.next_cursor ?? undefined;
  } while (cursor);
  return null;
}

function numbered(name: string, kind: 'folder' | 'file', count: number): string {
  const dot = kind === 'file' ? name.lastIndexOf('.') : -1;
  return dot > 0 ? `${name.slice(0, dot)} (${count})${name.slice(dot)}` : `${name} (${count})`;
}

export async function send(op: Op, db: DriveDb): Promise<Outcome> {
  switch (op.kind) {
    case 'tag':
      return sendTag(op);
    case 'star':
      return sendStar(op);
    case 'describe':
      return sendDescribe(op);
    case 'write':
      return sendWrite(op, db);
    case 'create-file':
      return sendNewText(op, db);
    case 'create-folder':
      return sendCreate(op);
    case 'update':
      return sendUpdate(op);
    case 'copy':
      return sendCopy(op);
    case 'delete':
      return sendDelete(op);
    case 'restore':
      return sendRestore(op);
  }
}

async function sendCreate(op: Extract<Op, { kind: 'create-folder' }>): Promise<Outcome> {
  try {
    return {
      entry: await take(
        api.POST('/api/v1/folders', {
          params: { header: named(op) },
          body: { id: op.temp, name: op.name, parent_id: op.parent },
        }),
      ),
    };
  } catch (error) {
    if (!isProblem(error, 'name-taken')) throw error;
    // Somebody was faster. Folders of one name are one folder.
    const there = await childByName(op.parent, op.name);
    if (there?.kind === 'folder') return { entry: there, note: { code: 'merged', name: op.name } };
    for (let count = 2; count < 2 + maxRaces; count += 1) {
      const name = numbered(op.name, 'folder', count);
      try {
        const entry = (await take(
          api.POST('/api/v1/folders', {
            params: { header: named(op) },
            body: { id: op.temp, name, parent_id: op.parent },
          }),
        )) as Entry;
        return { entry, note: { code: 'number-added', name, wanted: op.name } };
      } catch (again) {
        if (!isProblem(again, 'name-taken')) throw again;
      }
    }
    throw error;
  }
}

async function sendUpdate(op: Extract<Op, { kind: 'update' }>): Promise<Outcome> {
  let revision = op.before.revision;
  let name = op.name;
  let note: Note | undefined;
  let suffix = 1;
  for (let race = 0; ; race += 1) {
    try {
      const entry = (await take(
        api.PATCH('/api/v1/entries/{id}', {
          params: { path: { id: op.entry }, header: { ...named(op), 'If-Match': etag(revision) } },
          body: {
            ...(name === undefined ? {} : { name }),
            ...(op.parent === undefined ? {} : { parent_id: op.parent }),
          },
        }),
      )) as Entry;
      return { entry, note };
    } catch (error) {
      if (race >= maxRaces) throw error;
      if (isProblem(error, 'precondition-failed')) {
        const now = await fetchEntry(op.entry);
        if (!now || now.trashed) return gone(op.name ?? op.before.name, now);
        const done =
          (op.name === undefined || now.name === op.name) && (op.parent === undefined || now.parent_id === op.parent);
        if (done) return { entry: now };
        // The other one's rename gives way to this later one, and is told; a move or new bytes stay beside ours.
        if (op.name !== undefined && now.name !== op.before.name)
          note = { code: 'renamed-too', name: op.name, theirs: now.name };
        revision = now.revision;
      } else if (isProblem(error, 'name-taken')) {
        const kind = (await fetchEntry(op.entry))?.kind ?? 'file';
        const wanted = op.name ?? op.before.name;
        suffix += 1;
        name = numbered(wanted, kind, suffix);
        note = { code: 'number-added', name, wanted };
      } else if (isProblem(error, 'not-found') || isProblem(error, 'in-trash')) {
        const now = await fetchEntry(op.entry);
        if (!now || now.trashed) return gone(op.name ?? op.before.name, now);
        throw error;
      } else {
        throw error;
      }
    }
  }
}

async function sendCopy(op: Extract<Op, { kind: 'copy' }>): Promise<Outcome> {
  try {
    return {
      entry: await take(
        api.POST('/api/v1/entries/{id}/copy', {
          params: { path: { id: op.entry }, header: named(op) },
          body: { id: op.temp, parent_id: op.parent, name: op.name, on_conflict: 'rename' },
        }),
      ),
    };
  } catch (error) {
    // What was to be copied is gone: there is nothing to decide, only to be told.
    if (isProblem(error, 'not-found') && (await fetchEntry(op.entry)) === null)
      return { entry: null, note: { code: 'gone', name: op.name } };
    throw error;
  }
}

async function sendDelete(op: Extract<Op, { kind: 'delete' }>): Promise<Outcome> {
  let { revision } = op.before;
  for (let race = 0; ; race += 1) {
    try {
      await take(
        api.DELETE('/api/v1/entries/{id}', {
          params: { path: { id: op.entry }, header: { ...named(op), 'If-Match': etag(revision) } },
        }),
      );
      return { entry: null };
    } catch (error) {
      if (isProblem(error, 'not-found')) return { entry: null };
      if (!isProblem(error, 'precondition-failed') || race >= maxRaces) throw error;
      const now = await fetchEntry(op.entry);
      if (!now) return { entry: null };
      // Somebody worked on it since: their work wins over the wish to remove what was there before.
      if (!isAsSeen(now, op.before)) return { entry: now, note: { code: 'kept-edited', name: now.name } };
      revision = now.revision;
    }
  }
}

/** Whether an entry is what the person saw. Its revision also rises with changes of one's own that were just being answered. */
function isAsSeen(now: Entry, seen: Extract<Op, { kind: 'delete' }>['before']): boolean {
  const sameBytes = now.kind === 'folder' || (seen.version !== undefined && now.version_id === seen.version);
  return sameBytes && now.name === seen.name && now.parent_id === seen.parent;
}

async function sendRestore(op: Extract<Op, { kind: 'restore' }>): Promise<Outcome> {
  const restore = (body: { parent_id?: string }) =>
    take(
      api.POST('/api/v1/entries/{id}/restore', { params: { path: { id: op.entry } }, headers: named(op), body }),
    ) as Promise<Entry>;
  try {
    return { entry: await restore({}) };
  } catch (error) {
    if (isProblem(error, 'original-folder-gone')) {
      const space = await take(api.GET('/api/v1/spaces/{id}', { params: { path: { id: op.was.space_id } } }));
      const entry = await restore({ parent_id: space.root_id });
      return { entry, note: { code: 'restored-elsewhere', name: entry.name } };
    }
    // It never got there, because somebody had changed it, or it is back already.
    if (isProblem(error, 'not-in-trash')) {
      const now = await fetchEntry(op.entry);
      if (now) return { entry: now };
    }
    if (isProblem(error, 'not-found') || isProblem(error, 'not-in-trash'))
      return { entry: null, note: { code: 'gone', name: op.was.name } };
    throw error;
  }
}

/** Whether a person has to decide about a refusal, or time alone may help. */
export function needsPerson(problem: Problem): boolean {
  return !problem.passing && problem.status !== 401;
}
