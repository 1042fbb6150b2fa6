// Sending one file: in one request while it is small, by tus when losing the connection would hurt.
import { Problem } from '@/api/problem';
import { accessToken } from '@/api/session';
import type { Entry } from '@/data/db';

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
  const token = await accessToken();
  const query = new URLSearchParams({ name: job.name, parent: job.parent, on_conflict: job.onConflict });
  return new Promise((resolve, reject) => {
    // fetch does not tell how far an upload is.
    const request = new XMLHttpRequest();
    request.open('POST', `/api/v1/files?${query}`);
    if (token) request.setRequestHeader('authorization', `Bearer ${token}`);
    request.setRequestHeader('operation-id', job.id);
    if (job.file.type) request.setRequestHeader('content-type', job.file.type);
    else request.setRequestHeader('content-type', 'application/octet-stream');
    request.upload.onprogress = (event) => job.onProgress(event.loaded);
    request.onerror = () => reject(Problem.offline());
    request.onabort = () => reject(new DOMException('cancelled', 'AbortError'));
    request.onload = () => {
      if (request.status === 200 || request.status === 201) resolve(JSON.parse(request.responseText) as Entry);
      else reject(problemOf(request.status, request.responseText, request.getResponseHeader('retry-after')));
    };
    if (job.signal.aborted) {
      reject(new DOMException('cancelled', 'AbortError'));
      return;
    }
    job.signal.addEventListener('abort', () => request.abort(), { once: true });
    request.send(job.file);
  });
}

export function problemOf(status: number, text: string, retryAfter: string | null): Problem {
  let body: unknown = null;
  try {
    body = JSON.parse(text);
  } catch {
    // A proxy's page instead of ours: the status has to do.
  }
  return Problem.fromParts(
    new Response(null, { status: Math.max(200, status), headers: retryAfter ? { 'retry-after': retryAfter } : {} }),
    body,
  );
}
