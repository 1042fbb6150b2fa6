// Two changes of one thing. Ours waits, with theirs beside it, until a person has said what is to be; here is what each of
// the answers does. Nothing of either side is thrown away by a rule.
import { withWords } from '@/lib/names';
import type { DriveDb } from '../db';
import { isConflict, newEntryId, newOp, type Describe, type Op, type OpInput, type Write } from './ops';
import { onTopOf } from './sendMarks';
import { dropTexts, textOf, theirText } from './texts';

export type Conflict = Describe | Write;

/**
 * A conflict of a change that was changed once more since: the later one stands for both, so that a person is asked about one
 * text and not about each step on the way to it. Says whether there was one.
 */
export async function giveWay(db: DriveDb, op: Op): Promise<boolean> {
  return db.transaction('rw', db.ops, db.texts, async () => {
    const later = (await db.ops.where('state').equals('waiting').toArray()).filter((one) => one.seq! > op.seq!);
    if (op.kind === 'write') {
      const next = later.find((one) => one.kind === 'write' && one.after === op.id);
      if (next?.kind !== 'write') {
        // It was typed on top of one that a person is asked about already: they are asked about this one instead.
        const asked = (await db.ops.where('state').equals('parked').toArray()).find((one) => one.id === op.after);
        if (!asked || !isConflict(asked)) return false;
        await db.ops.delete(asked.seq!);
        await dropTexts(db, asked.id);
        return false;
      }
      await db.ops.put({ ...next, base: op.base, after: op.after });
      await db.ops.delete(op.seq!);
      await dropTexts(db, op.id);
      return true;
    }
    if (op.kind !== 'describe') return false;
    const next = later.find((one) => one.kind === 'describe' && one.entry === op.entry && covers(one, op));
    if (next?.kind !== 'describe') return false;
    const before = { ...next.before, revision: op.before.revision };
    if (op.description !== undefined) before.description = op.before.description;
    before.properties = { ...before.properties };
    for (const key of Object.keys(op.properties ?? {})) {
      const seen = op.before.properties[key];
      if (seen) before.properties[key] = seen;
      else delete before.properties[key];
    }
    await db.ops.put({ ...next, before });
    await db.ops.delete(op.seq!);
    return true;
  });
}

function covers(later: Describe, op: Describe): boolean {
  if (op.description !== undefined && later.description === undefined) return false;
  return Object.keys(op.properties ?? {}).every((key) => later.properties && key in later.properties);
}

const fresh = { state: 'waiting', attempts: 0, notBefore: 0, failure: undefined } as const;

/** Ours on top of theirs. Of a text theirs stays as an earlier version; what lies in the trash is taken out first. */
export async function keepMine(db: DriveDb, op: Conflict): Promise<void> {
  await db.transaction('rw', db.ops, db.texts, async () => {
    const theirs = op.failure?.theirs;
    if (op.kind === 'describe') {
      await db.ops.put({ ...onTopOf(op), ...fresh });
      return;
    }
    if (theirs?.gone) {
      await asFile(db, op, op.base.name);
      return;
    }
    await db.texts.delete(theirText(op.id));
    const base = { ...op.base, version: theirs?.version ?? '', etag: theirs?.etag ?? '' };
    await db.ops.put({ ...op, ...fresh, base, after: undefined });
  });
}

/** Theirs stays where it is, and ours becomes a file beside it. */
export async function keepBoth(db: DriveDb, op: Write, word: string): Promise<void> {
  await db.transaction('rw', db.ops, db.texts, () => asFile(db, op, withWords(op.base.name, word)));
}

/** One description of both, theirs first. */
export async function joinBoth(db: DriveDb, op: Describe): Promise<void> {
  const both = [op.failure?.theirs?.description, op.description].filter(Boolean).join('\n\n');
  await db.ops.put({ ...onTopOf({ ...op, description: both }), ...fresh });
}

async function asFile(db: DriveDb, op: Write, name: string): Promise<void> {
  const input: OpInput = {
    kind: 'create-file',
    temp: newEntryId(),
    space: op.base.space,
    parent: op.base.parent,
    name,
    size: op.size,
    content_type: op.content_type,
  };
  const made = newOp(input);
  const text = await textOf(db, op.id);
  if (text === null) throw new Error('the text of a conflict is not there');
  await db.texts.put({ id: made.id, text });
  await db.ops.put({ ...made, seq: op.seq });
  await dropTexts(db, op.id);
}

/** Theirs stays, ours goes. Returns how to have it back. */
export async function dropMine(db: DriveDb, op: Op): Promise<() => Promise<void>> {
  return db.transaction('rw', db.ops, db.texts, async () => {
    const texts = await db.texts.bulkGet([op.id, theirText(op.id)]);
    if (op.seq) await db.ops.delete(op.seq);
    await dropTexts(db, op.id);
    return async () => {
      await db.transaction('rw', db.ops, db.texts, async () => {
        await db.texts.bulkPut(texts.filter((one) => one !== undefined));
        await db.ops.put({ ...op });
      });
    };
  });
}
