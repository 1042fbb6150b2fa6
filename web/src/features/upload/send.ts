// Sending one file: in one request while it is small, by tus when losing the connection would hurt.
import { Upload } from 'tus-js-client';
import { api, take } from '@/api/client';
import { Problem } from '@/api/problem';
import { accessToken } from '@/api/session';
import type { Entry } from '@/data/db';

export type OnConflict = 'fail' | 'replace' | 'rename';

/** From here on a file is sent resumably. Smaller ones are sent again quicker than their state is asked for. */
export const resumableFromBytes = 8 * 1024 * 1024;
const retryDelaysMs = [0, 1_000, 3_000, 5_000, 10_000];

export interface Job {
  file: File;
  name: string;
  parent: string;
  onConflict: OnConflict;
  onProgress: (sent: number) => void;
  signal: AbortSignal;
}

export function sendFile(job: Job): Promise<Entry> {
  return job.file.size < resumableFromBytes ? sendWhole(job) : sendResumable(job);
}

async function sendWhole(job: Job): Promise<Entry> {
  const token = await accessToken();
  const query = new URLSearchParams({ name: job.name, parent: job.parent, on_conflict: job.onConflict });
  return new Promise((resolve, reject) => {
    // fetch does not tell how far an upload is.
    const request = new XMLHttpRequest();
    request.open('POST', `/api/v1/files?${query}`);
    if (token) request.setRequestHeader('authorization', `Bearer ${token}`);
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

function problemOf(status: number, text: string, retryAfter: string | null): Problem {
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

function sendResumable(job: Job): Promise<Entry> {
  return new Promise((resolve, reject) => {
    const upload = new Upload(job.file, {
      endpoint: '/api/v1/uploads',
      retryDelays: retryDelaysMs,
      removeFingerprintOnSuccess: true,
      metadata: {
        filename: job.name,
        filetype: job.file.type || 'application/octet-stream',
        parent: job.parent,
        on_conflict: job.onConflict,
      },
      // The same file into another folder is another upload.
      fingerprint: (file) =>
        Promise.resolve(['holdfast', job.parent, job.onConflict, job.name, file.size, file.lastModified].join('-')),
      onBeforeRequest: async (request) => {
        const token = await accessToken();
        if (token) request.setHeader('Authorization', `Bearer ${token}`);
      },
      onShouldRetry: (error) => {
        const status = error.originalResponse?.getStatus() ?? 0;
        return (
          status === 0 ||
          status === 423 ||
          status === 429 ||
          status >= 500 ||
          (status === 409 && error.originalResponse?.getBody().includes('offset-mismatch') === true)
        );
      },
      onProgress: (sent) => job.onProgress(sent),
      onError: (error) => {
        const response = 'originalResponse' in error ? error.originalResponse : null;
        reject(
          response
            ? problemOf(response.getStatus(), response.getBody(), response.getHeader('retry-after') ?? null)
            : Problem.offline(error),
        );
      },
      onSuccess: ({ lastResponse }) => {
        const id = lastResponse.getHeader('Holdfast-Entry');
        if (id)
          take(api.GET('/api/v1/entries/{id}', { params: { path: { id } } })).then(
            (entry) => resolve(entry as Entry),
            reject,
          );
        else reject(new Problem(500, 'internal', 'The server did not name the new file.'));
      },
    });
    const cancel = () => {
      // What is durable stays on the server, so going on later goes on from there; it is removed there when its time is over.
      void upload.abort(false);
      reject(new DOMException('cancelled', 'AbortError'));
    };
    if (job.signal.aborted) {
      cancel();
      return;
    }
    job.signal.addEventListener('abort', cancel, { once: true });
    upload.findPreviousUploads().then(
      (previous) => {
        if (job.signal.aborted) return;
        const last = previous[0];
        if (last) upload.resumeFromPreviousUpload(last);
        upload.start();
      },
      () => upload.start(),
    );
  });
}
