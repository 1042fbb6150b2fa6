// Sends the waiting operations in their order, one after the other: each may rest on the one before it.
import { Problem } from '@/api/problem';
import type { DriveDb } from '../db';
import { putEntries, removeTrees } from '../sync/store';
import { pullTree } from '../sync/pull';
import { refersTo, withRealId, type Op } from './ops';
import { needsPerson, send, type Note, type Outcome } from './send';

const firstDelayMs = 1_000;
const longestDelayMs = 60_000;

export type Drained =
  /** Nothing waits any more. */
  | { state: 'empty' }
  /** Ask again after this time; `problem` says what stood in the way. */
  | { state: 'later'; afterMs: number; problem: Problem };

export async function drain(
  db: DriveDb,
  onNote: (note: Note) => void,
  now: () => number = Date.now,
  onSent: (op: Op, outcome: Outcome) => void = () => undefined,
): Promise<Drained> {
  for (;;) {
    const op = await db.ops.where('state').equals('waiting').first();
    if (!op?.seq) return { state: 'empty' };
    if (await restsOnRefused(db, op)) {
      await park(db, op, { code: 'depends', detail: 'It rests on a change that could not be saved.' });
      continue;
    }
    if (op.notBefore > now()) {
      return {
        state: 'later',
        afterMs: op.notBefore - now(),
        problem: new Problem(503, 'waiting', 'The server asked to wait.'),
      };
    }
    try {
      const outcome = await send(op);
      await settle(db, op, outcome.entry);
      onSent(op, outcome);
      if (outcome.note) onNote(outcome.note);
    } catch (error) {
      const problem = error instanceof Problem ? error : Problem.offline(error);
      if (needsPerson(problem)) {
        await park(db, op, { code: problem.code, detail: problem.message });
        continue;
      }
      const wait = problem.retryAfter
        ? problem.retryAfter * 1000
        : Math.min(longestDelayMs, firstDelayMs * 2 ** Math.min(op.attempts, 10)) * (0.75 + Math.random() / 2);
      // Without a connection there is nobody to spare: the engine asks again when there is one.
      await db.ops.update(op.seq, { attempts: op.attempts + 1, notBefore: problem.status === 0 ? 0 : now() + wait });
      return { state: 'later', afterMs: wait, problem };
    }
  }
}

/** Whether what it is about was to be made by a change that the server has refused. */
async function restsOnRefused(db: DriveDb, op: Op): Promise<boolean> {
  const ids = new Set(refersTo(op));
  const refused = await db.ops.where('state').equals('parked').toArray();
  return refused.some((other) => 'temp' in other && ids.has(other.temp));
}

async function park(db: DriveDb, op: Op, failure: NonNullable<Op['failure']>): Promise<void> {
  await db.ops.update(op.seq!, { state: 'parked', failure });
}

/** The answer and the end of the operation become visible together, so that no row flickers. */
async function settle(db: DriveDb, op: Op, entry: Parameters<typeof putEntries>[1][number] | null): Promise<void> {
  await db.transaction('rw', db.ops, db.entries, db.aliases, async () => {
    await db.ops.delete(op.seq!);
    if (entry) await putEntries(db, [entry]);
    else if (op.kind !== 'create-folder' && op.kind !== 'copy') await removeTrees(db, [op.entry]);
    if (entry && 'temp' in op && op.temp !== entry.id) {
      const temp = op.temp;
      await db.aliases.put({ temp, real: entry.id });
      const rest = await db.ops.toArray();
      for (const other of rest) if (refersTo(other).includes(temp)) await db.ops.put(withRealId(other, temp, entry.id));
    }
    // Later operations on the same entry were made on top of this one: what they are based on moves along.
    if (entry) {
      for (const other of await db.ops.toArray()) {
        if ((other.kind === 'update' || other.kind === 'delete') && other.entry === entry.id) {
          await db.ops.put({ ...other, before: { ...other.before, revision: entry.revision } });
        }
      }
    }
  });
  if (entry?.kind === 'folder' && (op.kind === 'copy' || op.kind === 'restore')) await pullTree(db, entry.id);
}
