// Sends the waiting operations in their order, one after the other: each may rest on the one before it.
import { Problem } from '@/api/problem';
import type { DriveDb, Entry } from '../db';
import { countSettled } from '../stars';
import { putEntries, removeTrees } from '../sync/store';
import { pullTree } from '../sync/pull';
import { giveWay } from './conflicts';
import type { Op } from './ops';
import { refersTo, withRealId } from './refers';
import { needsPerson, send, type Note, type Outcome } from './send';
import { dropTexts, noteBecame } from './texts';

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
      const outcome = await send(op, db);
      if (outcome.conflict) {
        if (outcome.entry) await putEntries(db, [outcome.entry]);
        if (!(await giveWay(db, op))) await park(db, op, { code: 'conflict', detail: '', theirs: outcome.conflict });
        continue;
      }
      await settle(db, op, outcome);
      onSent(op, outcome);
      if (outcome.note) onNote(outcome.note);
    } catch (error) {
      // What is no problem of a call, as a store that is full, is not for the connection to mend: the engine tells.
      if (!(error instanceof Problem || error instanceof TypeError || error instanceof SyntaxError)) throw error;
      const problem = Problem.of(error);
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
async function settle(db: DriveDb, op: Op, { entry, others = [] }: Outcome): Promise<void> {
  await db.transaction('rw', [db.ops, db.entries, db.aliases, db.stars, db.texts, db.seen], async () => {
    await db.ops.delete(op.seq!);
    await putEntries(db, entry ? [entry, ...others] : others);
    if (op.kind === 'star') {
      if (op.on) await db.stars.bulkPut(op.entries.map((id) => ({ id })));
      else await db.stars.bulkDelete(op.entries);
      await countSettled(db);
    }
    if (op.kind === 'write' || op.kind === 'create-file') {
      await dropTexts(db, op.id);
      if (entry) await noteBecame(db, entry.id, { op: op.id, version: entry.version_id ?? '', etag: entry.etag ?? '' });
    }
    if (!entry && 'entry' in op) await removeTrees(db, [op.entry]);
    if (entry && 'temp' in op && op.temp !== entry.id) {
      const temp = op.temp;
      await db.aliases.put({ temp, real: entry.id });
      const rest = await db.ops.toArray();
      for (const other of rest) if (refersTo(other).includes(temp)) await db.ops.put(withRealId(other, temp, entry.id));
    }
    if (entry) await moveBases(db, op, entry);
  });
  if (entry?.kind === 'folder' && (op.kind === 'copy' || op.kind === 'restore')) await pullTree(db, entry.id);
}

/** Later operations on the same entry were made on top of this one: what they are based on moves along. */
async function moveBases(db: DriveDb, op: Op, entry: Entry): Promise<void> {
  for (const other of await db.ops.toArray()) {
    if (!('entry' in other) || other.entry !== entry.id) continue;
    if (other.kind === 'update') await db.ops.put({ ...other, before: { ...other.before, revision: entry.revision } });
    else if (other.kind === 'delete') {
      const version = other.before.version === op.id ? entry.version_id : other.before.version;
      await db.ops.put({ ...other, before: { ...other.before, revision: entry.revision, version } });
    } else if (other.kind === 'write' && other.after === op.id) {
      const base = { ...other.base, version: entry.version_id ?? '', etag: entry.etag ?? '' };
      await db.ops.put({ ...other, base, after: undefined });
    }
    // A description is compared by its words when it is sent: others may have changed it in the meantime.
  }
}
