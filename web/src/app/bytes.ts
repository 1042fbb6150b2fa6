// The bytes of one's own files, for all that shows them: a text that waits to be sent, else from this device where they are
// kept, else from the server.
import { openFileUrl, readBlob, readFile, readPart, readTextStart } from '@/api/files';
import { drive } from '@/data/drive';
import { keptFile } from '@/data/keep';
import type { ByteSource, Viewed } from '@/features/look';
import { hasServiceWorker } from '@/platform/web';

async function localFile(file: Viewed): Promise<Blob | null> {
  if (!drive.value) return null;
  const { waitingText } = await import('@/data/outbox/texts');
  const waiting = await waitingText(drive.value.db, file.id);
  return waiting ? new Blob([waiting.text]) : keptFile(file);
}

export const ownBytes: ByteSource = {
  open: async (file, signal) => {
    const kept = await localFile(file);
    if (!kept) return openFileUrl(file.id, signal);
    const url = URL.createObjectURL(file.content_type ? new Blob([kept], { type: file.content_type }) : kept);
    return { url, release: () => URL.revokeObjectURL(url) };
  },
  read: async (file, signal) => (await localFile(file))?.arrayBuffer() ?? readFile(file.id, signal),
  part: async (file, from, to, signal) => {
    const kept = await localFile(file);
    return kept ? kept.slice(from, to).arrayBuffer() : readPart(file.id, from, to, signal);
  },
  readStart: async (file, limit, signal) => {
    const kept = await localFile(file);
    return kept ? kept.slice(0, limit).text() : readTextStart(file.id, file.size ?? 0, limit, signal);
  },
  blob: async (file, signal) => (await localFile(file)) ?? readBlob(file.id, signal),
  seekable: hasServiceWorker,
  account: () => drive.value?.user.id ?? null,
  offline: () => drive.value?.sync.state.link === 'offline',
};
