// Writing down what a person did. What was on the screen a moment ago may have been merged with something else since: the
// ids are looked up in the same transaction, so that nothing comes to rest on one that no longer leads anywhere.
import type { DriveDb } from '../db';
import { newOp, refersTo, withRealId, type Op, type OpInput, type Write } from './ops';
import { becameOf } from './texts';

/**
 * Returns the operations as they were written, in their order. `carried` is of an operation that carries a text, which is
 * written with it: both are there, or none; `id` is the one it was tried under already.
 */
export async function enqueue(
  db: DriveDb,
  inputs: readonly OpInput[],
  carried?: { text: string; id?: string },
): Promise<Op[]> {
  return db.transaction('rw', db.ops, db.aliases, db.entries, db.texts, async () => {
    const ops: Op[] = [];
    for (const input of inputs) {
      let op = carried?.id ? { ...newOp(input), id: carried.id } : newOp(input);
      if (carried) await db.texts.put({ id: op.id, text: carried.text });
      for (const temp of refersTo(op)) {
        const real = (await db.aliases.get(temp))?.real;
        if (real) op = withRealId(op, temp, real);
      }
      if ('before' in op && op.before.revision === 0) {
        const revision = (await db.entries.get(op.entry))?.revision;
        if (revision !== undefined) op.before = { ...op.before, revision } as typeof op.before;
      }
      if (op.kind === 'write' && op.after !== undefined) op = await onTop(db, op, op.after);
      op.seq = await db.ops.add(op);
      ops.push(op);
    }
    return ops;
  });
}

/** A text typed on top of one that waited then, which may have reached the server since. */
async function onTop(db: DriveDb, op: Write, after: string): Promise<Write> {
  const became = await becameOf(db, op.entry, after);
  if (!became) return op;
  const { version, etag } = became;
  return { ...op, after: undefined, base: { ...op.base, version, etag } };
}
