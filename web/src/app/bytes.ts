// The bytes of one's own files, for all that shows them.
import { openFileUrl, readFile, readTextStart } from '@/api/files';
import { drive } from '@/data/drive';
import type { ByteSource } from '@/features/look';

export const ownBytes: ByteSource = {
  open: (file, signal) => openFileUrl(file.id, signal),
  read: (file, signal) => readFile(file.id, signal),
  readStart: (file, limit, signal) => readTextStart(file.id, file.size ?? 0, limit, signal),
  offline: () => drive.value?.sync.state.link === 'offline',
};
