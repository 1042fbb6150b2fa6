// Sending one file: in one request while it is small, by tus when losing the connection would hurt.
import type { Entry } from '@/data/db';
import { post, problemOf } from './request';

export type OnConflict = 'fail' | 'replace' | 'rename';

/** From here on a file is sent resumably. Smaller ones are sent again quicker than their state is asked for. */
export const resumableFromBytes = 8 * 1024 * 1024;

export interface Job {
  /** The same for every try, by which the server knows what it has stored already. */
  id: string;
  file: File;
  name: string;
  parent: string;
  onConflict: OnConflict;
  /** Where an earlier try was going, and where this one is: only for files that are sent resumably. */
  url: string | null;
  onUrl: (url: string) => void;
  onProgress: (sent: number) => void;
  signal: AbortSignal;
}

/** The resumable way comes with the first file that needs it. */
export async function sendFile(job: Job): Promise<Entry | null> {
  if (job.file.size < resumableFromBytes) return sendWhole(job);
  return (await import('./resumable')).sendResumable(job);
}

async function sendWhole(job: Job): Promise<Entry> {
  const query = new URLSearchParams({ name: job.name, parent: job.parent, on_conflict: job.onConflict });
  const headers = { 'operation-id': job.id, 'content-type': job.file.type || 'application/octet-stream' };
  const { status, text, retryAfter } = await post(
    `/api/v1/files?${query}`,
    headers,
    job.file,
    job.onProgress,
    job.signal,
  );
  if (status !== 200 && status !== 201) throw problemOf(status, text, retryAfter);
  return JSON.parse(text) as Entry;
}
