// Sending a large file by tus: what has arrived stays, whatever becomes of the connection or of this page.
import { Upload } from 'tus-js-client';
import { api, take } from '@/api/client';
import { Problem } from '@/api/problem';
import { accessToken } from '@/api/session';
import type { Entry } from '@/data/db';
import { problemOf } from './request';
import type { Job } from './send';

const retryDelaysMs = [0, 1_000, 3_000, 5_000, 10_000];

/**
 * The file that an upload has become. Where all bytes were there before, and only its name was in the way, no answer tells of
 * one: then it is finished under the rule that was chosen since. To do that twice does no harm.
 */
async function finished(known: string | null, url: string, job: Job): Promise<Entry | null> {
  let id = known;
  if (!id) {
    const params = { path: { id: url.slice(url.lastIndexOf('/') + 1) } };
    const body = { name: job.name, parent_id: job.parent, on_conflict: job.onConflict };
    id = (await take(api.POST('/api/v1/uploads/{id}/finish', { params, body }))).entry_id ?? null;
  }
  if (!id) return null;
  // The file is there, whether or not its entry can be asked for now: the next pull brings it.
  return take(api.GET('/api/v1/entries/{id}', { params: { path: { id } } })).then(
    (entry) => entry as Entry,
    () => null,
  );
}

export function sendResumable(job: Job): Promise<Entry | null> {
  return new Promise((resolve, reject) => {
    const upload = new Upload(job.file, {
      endpoint: '/api/v1/uploads',
      retryDelays: retryDelaysMs,
      metadata: {
        filename: job.name,
        filetype: job.file.type || 'application/octet-stream',
        parent: job.parent,
        on_conflict: job.onConflict,
      },
      // By this the server knows the upload again whose answer was lost.
      headers: { 'Operation-Id': job.id },
      // The queue itself remembers where each upload goes.
      storeFingerprintForResuming: false,
      uploadUrl: job.url,
      onUploadUrlAvailable: () => upload.url && job.onUrl(upload.url),
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
        const id = lastResponse.getHeader('Holdfast-Entry') ?? null;
        finished(id, upload.url ?? '', job).then(resolve, reject);
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
    upload.start();
  });
}
