// Writing down what a person did. What was on the screen a moment ago may have been merged with something else since: the
// ids are looked up in the same transaction, so that nothing comes to rest on one that no longer leads anywhere.
import type { DriveDb } from '../db';
import { newOp, type Op, type OpInput } from './ops';
import { refersTo, withRealId } from './refers';

/** Returns the operations as they were written, in their order. */
export async function enqueue(db: DriveDb, inputs: readonly OpInput[]): Promise<Op[]> {
  return db.transaction('rw', db.ops, db.aliases, db.entries, async () => {
    const ops: Op[] = [];
    for (const input of inputs) {
      let op = newOp(input);
      for (const temp of refersTo(op)) {
        const real = (await db.aliases.get(temp))?.real;
        if (real) op = withRealId(op, temp, real);
      }
      if ('before' in op && op.before.revision === 0) {
        const revision = (await db.entries.get(op.entry))?.revision;
        if (revision !== undefined) op.before = { ...op.before, revision };
      }
      op.seq = await db.ops.add(op);
      ops.push(op);
    }
    return ops;
  });
}
