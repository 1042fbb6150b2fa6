// Addresses and bytes of files. With the service worker in charge a plain address works, because it adds the token;
// without it (the very first visit, development) the bytes are fetched here.
import { downloadByFrame, downloadUrl, hasServiceWorker } from '@/platform/web';
import { api, take } from './client';
import { Problem } from './problem';
import { authorizedFetch } from './session';

/** Of a file's bytes; with `versionOf` of those it had at another time. */
export const filePath = (id: string) => `/api/v1/files/${id.split('/').map(encodeURIComponent).join('/')}`;

/** What stands for an earlier version wherever the id of a file does, since its bytes are read in all the same ways. */
export const versionOf = (id: string, version: string) => `${id}/versions/${version}`;

async function fetchFile(id: string, init: RequestInit = {}): Promise<Response> {
  const response = await authorizedFetch(new Request(filePath(id), init));
  if (!response.ok) throw await Problem.fromResponse(response);
  return response;
}

/** The answer with all bytes of a file, as they come. */
export const openBytes = (id: string, signal: AbortSignal) => fetchFile(id, { signal });

/** An address for `src`, and what to do when it is no longer shown. */
export async function openFileUrl(id: string, signal?: AbortSignal): Promise<{ url: string; release: () => void }> {
  if (hasServiceWorker()) return { url: filePath(id), release: () => undefined };
  const blob = await (await fetchFile(id, { signal })).blob();
  const url = URL.createObjectURL(blob);
  return { url, release: () => URL.revokeObjectURL(url) };
}

export async function readFile(id: string, signal?: AbortSignal): Promise<ArrayBuffer> {
  return (await fetchFile(id, { signal })).arrayBuffer();
}

export async function readBlob(id: string, signal?: AbortSignal): Promise<Blob> {
  return (await fetchFile(id, { signal })).blob();
}

/** The bytes from one place up to, and without, another. */
export async function readPart(id: string, from: number, to: number, signal?: AbortSignal): Promise<ArrayBuffer> {
  if (to <= from) return new ArrayBuffer(0);
  return (await fetchFile(id, { signal, headers: { range: `bytes=${from}-${to - 1}` } })).arrayBuffer();
}

/** The first bytes of a file as text; wrong UTF-8 shows as the replacement sign. */
export async function readTextStart(id: string, size: number, limit: number, signal?: AbortSignal): Promise<string> {
  if (size === 0) return '';
  const headers = size > limit ? { range: `bytes=0-${limit - 1}` } : undefined;
  return (await fetchFile(id, { signal, headers })).text();
}

export async function downloadFile(id: string, name: string): Promise<void> {
  if (hasServiceWorker()) {
    downloadByFrame(`${filePath(id)}?download=1`);
    return;
  }
  const { url, release } = await openFileUrl(id);
  downloadUrl(url, name);
  setTimeout(release, 60_000);
}

const archivePath = (ids: readonly string[]) => `/api/v1/archive?entries=${ids.map(encodeURIComponent).join(',')}`;

/** An address below the server's own that needs no header, for these entries as a download, and when it ends. */
export async function presignDownload(ids: readonly string[]): Promise<{ url: string; expires_at: string }> {
  return take(api.POST('/api/v1/downloads', { body: { entries: [...ids] } }));
}

/** How large the archive of these entries is; fails where there is none. */
export async function archiveSize(ids: readonly string[]): Promise<number> {
  const head = await authorizedFetch(new Request(archivePath(ids), { method: 'HEAD' }));
  // An answer to HEAD has no words: what is wrong is asked for once more.
  if (!head.ok) throw await Problem.fromResponse(await authorizedFetch(new Request(archivePath(ids))));
  return Number(head.headers.get('content-length') ?? 0);
}

export async function downloadArchive(ids: readonly string[], name: string): Promise<void> {
  if (hasServiceWorker()) downloadByFrame(archivePath(ids));
  else await saveFrom(archivePath(ids), name);
}

/** Saves what a call answers with, as a file of the device. */
export async function saveFrom(path: string, name: string): Promise<void> {
  const response = await authorizedFetch(new Request(path));
  if (!response.ok) throw await Problem.fromResponse(response);
  const url = URL.createObjectURL(await response.blob());
  downloadUrl(url, name);
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
