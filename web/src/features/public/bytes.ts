// The bytes of what a link leads to. The browser adds the cookies by itself, so that plain addresses work.
import type { ByteSource } from '@/features/look';
import { fileAddress, readBytes } from './api';
import { place } from './place';

const token = () => place.value.token;

export const linkedBytes: ByteSource = {
  open: (file) => Promise.resolve({ url: fileAddress(token(), file.id), release: () => undefined }),
  read: async (file, signal) => (await readBytes(token(), file.id, null, signal)).arrayBuffer(),
  part: async (file, from, to, signal) =>
    to <= from
      ? new ArrayBuffer(0)
      : (await readBytes(token(), file.id, `bytes=${from}-${to - 1}`, signal)).arrayBuffer(),
  readStart: async (file, limit, signal) => {
    const size = file.size ?? 0;
    if (size === 0) return '';
    return (await readBytes(token(), file.id, size > limit ? `bytes=0-${limit - 1}` : null, signal)).text();
  },
  blob: async (file, signal) => (await readBytes(token(), file.id, null, signal)).blob(),
  seekable: () => true,
  account: () => null,
  offline: () => !navigator.onLine,
};
