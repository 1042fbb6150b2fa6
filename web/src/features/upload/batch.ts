// Many small files in one request, each with an answer of its own.
import type { Schemas } from '@/api/client';
import { Problem } from '@/api/problem';
import type { Entry } from '@/data/db';
import { post, problemFrom, problemOf } from './request';
import type { OnConflict } from './send';

export interface Small {
  file: File;
  name: string;
  /** The id that a new file gets: the same for every try. */
  entry: string;
  onConflict: OnConflict;
}
export interface Batch {
  /** The same for every try of these files. */
  operation: string;
  parent: string;
  files: readonly Small[];
  /** How many bytes of the file at this place have gone. */
  onProgress: (at: number, sent: number) => void;
  signal: AbortSignal;
}
/** What became of a file: an entry, or the reason why there is none. */
export type Outcome = Entry | Problem;

interface Body {
  body: Blob;
  /** Where the bytes of each file begin in it. */
  starts: number[];
}

/** For each file the length of a header, the header, and the bytes, which are not read here: a blob only names them. */
export function bodyOf(files: readonly Small[]): Body {
  const parts: BlobPart[] = [];
  const starts: number[] = [];
  let at = 0;
  for (const { file, name, entry, onConflict } of files) {
    const head = new TextEncoder().encode(
      JSON.stringify({
        path: name,
        size: file.size,
        on_conflict: onConflict,
        id: entry,
        ...(file.type ? { content_type: file.type } : {}),
      }),
    );
    const frame = new Uint8Array(4 + head.length);
    new DataView(frame.buffer).setUint32(0, head.length);
    frame.set(head, 4);
    parts.push(frame, file);
    starts.push(at + frame.length);
    at += frame.length + file.size;
  }
  return { body: new Blob(parts), starts };
}

export async function sendBatch({ operation, parent, files, onProgress, signal }: Batch): Promise<Outcome[]> {
  const { body, starts } = bodyOf(files);
  /** The first file of which not all bytes have gone. */
  let next = 0;
  const { status, text, retryAfter } = await post(
    `/api/v1/batch?${new URLSearchParams({ parent })}`,
    { 'operation-id': operation, 'content-type': 'application/vnd.holdfast.batch' },
    body,
    (sent) => {
      for (; next < files.length && starts[next]! <= sent; next += 1) {
        const gone = sent - starts[next]!;
        const { size } = files[next]!.file;
        onProgress(next, Math.min(size, gone));
        if (gone < size) return;
      }
    },
    signal,
  );
  if (status !== 200) throw problemOf(status, text, retryAfter);
  const { items, error } = JSON.parse(text) as Schemas['Batch'];
  return files.map((_, at): Outcome => {
    const item = items[at];
    if (item?.entry) return item.entry;
    // Past what the server could read there is no item: the reason is the same for all the rest.
    const why = item ? item.error : error;
    return why ? problemFrom(why.status, why) : Problem.offline();
  });
}
