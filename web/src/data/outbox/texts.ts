// The words that operations carry. They lie beside the operations, so that those stay small: they are read with every list.
import type { DriveDb } from '../db';

export const theirText = (op: string) => `${op} theirs`;

/** What the last text that was sent of a file became there: somebody may have gone on typing on top of it. */
interface Became {
  op: string;
  version: string;
  etag: string;
}
const becameKey = (file: string) => `became ${file}`;
export async function noteBecame(db: DriveDb, file: string, became: Became): Promise<void> {
  await db.texts.put({ id: becameKey(file), text: JSON.stringify(became) });
}
export async function becameOf(db: DriveDb, file: string, op: string): Promise<Became | null> {
  const row = await db.texts.get(becameKey(file));
  const became = row ? (JSON.parse(row.text) as Became) : null;
  return became?.op === op ? became : null;
}

export async function textOf(db: DriveDb, id: string): Promise<string | null> {
  return (await db.texts.get(id))?.text ?? null;
}

export async function dropTexts(db: DriveDb, op: string): Promise<void> {
  await db.texts.bulkDelete([op, theirText(op)]);
}

interface Waiting {
  /** The operation that carries it. */
  op: string;
  text: string;
  /** What it was typed on; nothing for a file that the server has not heard of. */
  version: string;
  etag: string;
}

/** The newest text of a file that waits to be sent. */
export async function waitingText(db: DriveDb, file: string): Promise<Waiting | null> {
  const real = (await db.aliases.get(file))?.real ?? file;
  const ops = await db.ops.where('state').equals('waiting').toArray();
  const last = ops.findLast((op) =>
    op.kind === 'write' ? op.entry === real : op.kind === 'create-file' && op.temp === real,
  );
  const text = last && (await textOf(db, last.id));
  if (!last || text === null || text === undefined) return null;
  const { version = '', etag = '' } = last.kind === 'write' ? last.base : {};
  return { op: last.id, text, version, etag };
}
