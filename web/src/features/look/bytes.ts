// Where the bytes of what is looked at come from: the drive has them by one's account, a visitor by a link. Whoever shows
// files says once, for all that is below.
import { inject, type App, type InjectionKey } from 'vue';

/** What is to be known of a file to look inside. */
export interface Viewed {
  id: string;
  name: string;
  kind: 'folder' | 'file';
  size?: number | null;
  content_type?: string | null;
  /** Changes with the content. */
  version_id?: string;
}

export interface ByteSource {
  /** An address for `src`, and what to do when it is no longer shown. */
  open(file: Viewed, signal?: AbortSignal): Promise<{ url: string; release: () => void }>;
  read(file: Viewed, signal?: AbortSignal): Promise<ArrayBuffer>;
  /** The bytes from one place up to, and without, another. */
  part(file: Viewed, from: number, to: number, signal?: AbortSignal): Promise<ArrayBuffer>;
  /** The first bytes as text; wrong UTF-8 shows as the replacement sign. */
  readStart(file: Viewed, limit: number, signal?: AbortSignal): Promise<string>;
  /** All of it, as far as the browser can without holding it in memory. */
  blob(file: Viewed, signal?: AbortSignal): Promise<Blob>;
  /** Whether an address that `open` gives can be read in parts, without all of it being fetched. */
  seekable(): boolean;
  /** Whose files they are, so that what is made of them can be kept on this device for that account; null for a visitor's. */
  account(): string | null;
  /** Whether it is known that there is no connection. */
  offline(): boolean;
}

const key: InjectionKey<ByteSource> = Symbol('bytes');

export function provideBytes(app: App, source: ByteSource): void {
  app.provide(key, source);
}

export function useBytes(): ByteSource {
  const source = inject(key);
  if (!source) throw new Error('nobody said where the bytes of files come from');
  return source;
}
