// Brings the files of one request to the server, and says of each what became of it.
import { Problem } from '@/api/problem';
import type { Entry } from '@/data/db';
import { sendBatch } from './batch';
import type { UploadRow } from './rows';
import { resumableFromBytes, sendFile } from './send';

/** How often the database hears how far an upload is; the server knows it better anyway. */
const noteEveryMs = 2_000;

/** What the queue does meanwhile. */
export interface Carrying {
  signal: AbortSignal;
  fileOf: (row: UploadRow) => File | undefined;
  /** Remembers what the bytes are. */
  mark: (row: UploadRow, file: File) => Promise<void>;
  sent: (row: UploadRow, bytes: number) => void;
  /** Writes down how far it is. */
  note: (row: UploadRow) => void;
  done: (row: UploadRow) => void;
  refused: (row: UploadRow, problem: Problem) => void;
}

function bytesOf(row: UploadRow, how: Carrying): File {
  const file = how.fileOf(row);
  if (!file) throw new DOMException('its bytes are not here', 'NotReadableError');
  return file;
}

export async function carryOne(row: UploadRow, parent: string, how: Carrying): Promise<Entry[]> {
  const file = bytesOf(row, how);
  if (row.size >= resumableFromBytes) await how.mark(row, file);
  let notedAt = performance.now();
  const entry = await sendFile({
    id: row.id,
    file,
    name: row.name,
    parent,
    onConflict: row.onConflict,
    url: row.url,
    signal: how.signal,
    onUrl: (url) => {
      row.url = url;
      how.note(row);
    },
    onProgress: (sent) => {
      how.sent(row, sent);
      if (performance.now() - notedAt < noteEveryMs) return;
      notedAt = performance.now();
      how.note(row);
    },
  });
  how.sent(row, row.size);
  how.done(row);
  return entry ? [entry] : [];
}

export async function carryMany(
  rows: readonly UploadRow[],
  operation: string,
  parent: string,
  how: Carrying,
): Promise<Entry[]> {
  const outcomes = await sendBatch({
    operation,
    parent,
    files: rows.map((row) => ({ ...row, file: bytesOf(row, how) })),
    onProgress: (at, sent) => how.sent(rows[at]!, sent),
    signal: how.signal,
  });
  const made: Entry[] = [];
  for (const [at, outcome] of outcomes.entries()) {
    const row = rows[at]!;
    if (outcome instanceof Problem) {
      how.refused(row, outcome);
    } else {
      how.sent(row, row.size);
      how.done(row);
      made.push(outcome);
    }
  }
  return made;
}
