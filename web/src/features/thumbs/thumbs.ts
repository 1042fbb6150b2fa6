// From a file to its small picture: what is kept on this device first, else it is made, a few at a time. However many
// components wait for one, it is looked for once, and not at all any more when the last of them is gone.
import { isProblem } from '@/api/problem';
import type { ByteSource, Viewed } from '@/features/look';
import { draw, side, type Drawn } from './make';
import type { Memory, Thumb } from './memory';
import { Queue } from './queue';
import type { Store } from './store';

export type Wanted = Viewed & { version_id: string };

const queue = new Queue(3, 120);
interface Job {
  listeners: Set<() => void>;
  stop: AbortController;
}
const pending = new Map<string, Job>();
/** Whoever left and came again has another one since, which is no business of this one's end. */
function end(version: string, job: Job): void {
  if (pending.get(version) === job) pending.delete(version);
}
/** Versions that nothing can be made of, where nothing is kept on the device. */
const hopeless = new Set<string>();

let store: Promise<Store> | null = null;
let storeOf: string | null = null;
/** Where the pictures of an account are kept; a visitor's are not. */
export function storeFor(account: string | null): Promise<Store> | null {
  if (account !== storeOf) {
    void store?.then((it) => it.close());
    store = account === null ? null : import('./store').then((it) => new it.Store(account));
    storeOf = account;
  }
  return store;
}

function shown({ picture, width, height, seconds }: Drawn): Thumb | null {
  if (!picture) return null;
  const density = Math.min(1, side / Math.max(width, height));
  return { url: URL.createObjectURL(picture), width, height, density, seconds };
}

/** Looks on this device alone. Answers whether it is in the memory now. */
export async function recall({ version_id: version }: Wanted, source: ByteSource, memory: Memory): Promise<boolean> {
  const kept = await (await storeFor(source.account()))?.find(version).catch(() => null);
  const thumb = kept ? shown(kept) : null;
  if (thumb) memory.put(version, thumb);
  return thumb !== null;
}

async function search(file: Wanted, source: ByteSource, memory: Memory, job: Job): Promise<void> {
  const version = file.version_id;
  const { signal } = job.stop;
  const there = (made: Drawn) => {
    const thumb = shown(made);
    if (thumb) memory.put(version, thumb);
    end(version, job);
    if (thumb) for (const listener of job.listeners) listener();
  };
  const place = await storeFor(source.account());
  const kept = await place?.find(version).catch(() => null);
  if (signal.aborted) return;
  if (kept) return there(kept);
  if (hopeless.has(version)) return end(version, job);
  const leave = queue.add(version, async () => {
    try {
      const made = await draw(file, source, signal);
      if (signal.aborted) return;
      if (!made.picture) hopeless.add(version);
      there(made);
      // A device that is full shows it all the same.
      await place?.put({ version, ...made }).catch(() => undefined);
    } catch (error) {
      end(version, job);
      // Without a connection it is asked for again when that is back; what the server refuses is not.
      if (!signal.aborted && !(isProblem(error) && error.passing)) hopeless.add(version);
    }
  });
  signal.addEventListener('abort', leave, { once: true });
}

/** Looks for the picture and has it made. `onThere` is called once it is in the memory; never when there is none. */
export function find(file: Wanted, source: ByteSource, memory: Memory, onThere: () => void): () => void {
  const version = file.version_id;
  let job = pending.get(version);
  if (!job) {
    job = { listeners: new Set(), stop: new AbortController() };
    pending.set(version, job);
    const begun = job;
    void search(file, source, memory, begun).catch(() => end(version, begun));
  }
  const mine = job;
  mine.listeners.add(onThere);
  return () => {
    mine.listeners.delete(onThere);
    if (mine.listeners.size > 0 || pending.get(version) !== mine) return;
    pending.delete(version);
    mine.stop.abort();
  };
}
