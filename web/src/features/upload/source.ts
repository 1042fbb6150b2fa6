// The bytes of an upload after the page was loaded anew: kept by the browser, read again through a handle, or picked again
// by a person. What is picked again has to be the same file, or the server would join two halves of different ones.
import type { FileHandle } from '@/platform/web';
import type { UploadRow } from './rows';

export type Handle = FileHandle;

/** Read from both ends for the fingerprint. */
const sampleBytes = 64 * 1024;

/** A short name for the bytes: their number, and a hash over both ends. Quick for files of any size. */
export async function fingerprint(file: Blob): Promise<string> {
  const parts = [file.slice(0, sampleBytes), file.slice(Math.max(sampleBytes, file.size - sampleBytes))];
  const bytes = await new Blob(parts).arrayBuffer();
  const hash = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes)).subarray(0, 16);
  return `${file.size}-${Array.from(hash, (byte) => byte.toString(16).padStart(2, '0')).join('')}`;
}

/** Whether a file is the one that was begun. The time may differ after a copy; the bytes may not. */
export async function isSame(
  file: File,
  row: Pick<UploadRow, 'size' | 'modified'>,
  print: string | null,
): Promise<boolean> {
  if (file.size !== row.size) return false;
  if (print === null) return file.lastModified === row.modified;
  return (await fingerprint(file)) === print;
}

export type Reopened = { file: File } | { state: 'locked' | 'lost' };

/** Opens what a handle stands for. `ask` may only be set in a click: the browser asks the person then. */
export async function reopen(
  handle: Handle | undefined,
  row: Pick<UploadRow, 'size' | 'modified'>,
  print: string | null,
  ask: boolean,
): Promise<Reopened> {
  if (!handle) return { state: 'lost' };
  try {
    let permission = (await handle.queryPermission?.({ mode: 'read' })) ?? 'granted';
    if (permission === 'prompt' && ask) permission = (await handle.requestPermission?.({ mode: 'read' })) ?? 'denied';
    if (permission === 'prompt') return { state: 'locked' };
    if (permission === 'denied') return { state: 'lost' };
    const file = await handle.getFile();
    return (await isSame(file, row, print)) ? { file } : { state: 'lost' };
  } catch {
    // Moved or deleted since.
    return { state: 'lost' };
  }
}

/** Whether a file can still be read: not after it was changed or moved on the device. */
export async function isReadable(file: Blob): Promise<boolean> {
  return file
    .slice(0, 1)
    .arrayBuffer()
    .then(
      () => true,
      () => false,
    );
}
