// Small pictures: which are made, in which order, and what of them stays.
import { beforeEach, expect, it, vi } from 'vitest';
import { Memory, type Thumb } from '@/features/thumbs/memory';
import type { ByteSource } from '@/features/look';
import { draw } from '@/features/thumbs/make';
import { Queue } from '@/features/thumbs/queue';
import { Store } from '@/features/thumbs/store';
import { find } from '@/features/thumbs/thumbs';
import { canThumb } from '@/features/thumbs/useThumb';
import { imageSize } from '@/lib/imageHead';

const file = (name: string, size: number) => ({ id: name, name, kind: 'file' as const, size, version_id: 'v' });

it('makes pictures of what browsers open and of what is not too large for it', () => {
  expect(canThumb(file('a.jpg', 24e6), true)).toBe(true);
  expect(canThumb(file('a.jpg', 26e6), true)).toBe(false);
  expect(canThumb(file('a.heic', 1e6), true)).toBe(false);
  expect(canThumb(file('a.svg', 2e6), true)).toBe(false);
  expect(canThumb(file('a.pdf', 1e6), true)).toBe(false);
  expect(canThumb(file('empty.png', 0), true)).toBe(false);
  expect(canThumb({ ...file('a.jpg', 1e6), version_id: undefined }, true)).toBe(false);
  // Of a film only the start is read, where that is possible.
  expect(canThumb(file('a.mp4', 4e9), true)).toBe(true);
  expect(canThumb(file('a.mp4', 4e9), false)).toBe(false);
});

it('draws what came into sight last first, what came together in order, and forgets what left', async () => {
  vi.useFakeTimers();
  const queue = new Queue(1, 100);
  const done: string[] = [];
  const ends: (() => void)[] = [];
  const work = (name: string) => () =>
    new Promise<void>((resolve) => {
      done.push(name);
      ends.push(resolve);
    });
  queue.add('a', work('a'));
  const leave = queue.add('b', work('b'));
  queue.add('c', work('c'));
  expect(done).toEqual([]);
  await vi.advanceTimersByTimeAsync(100);
  expect(done).toEqual(['a']);
  queue.add('d', work('d'));
  queue.add('e', work('e'));
  await vi.advanceTimersByTimeAsync(100);
  leave();
  for (let at = 0; at < 4; at += 1) {
    ends[at]!();
    await vi.advanceTimersByTimeAsync(0);
  }
  await vi.advanceTimersByTimeAsync(1_000);
  expect(done).toEqual(['a', 'd', 'e', 'c']);
  vi.useRealTimers();
});
it('never lets more wait than it is told', async () => {
  vi.useFakeTimers();
  const queue = new Queue(9, 10, 2);
  const done: string[] = [];
  for (const name of ['a', 'b', 'c']) queue.add(name, () => Promise.resolve(void done.push(name)));
  await vi.advanceTimersByTimeAsync(10);
  expect(done).toEqual(['b', 'c']);
  vi.useRealTimers();
});

it('keeps the addresses that are shown, and some that were', () => {
  const revoked: string[] = [];
  vi.spyOn(URL, 'revokeObjectURL').mockImplementation((url) => void revoked.push(url));
  const thumb = (url: string): Thumb => ({ url, width: 1, height: 1, density: 1, seconds: null });
  const memory = new Memory(1);
  memory.put('a', thumb('a'));
  expect(memory.take('a')?.url).toBe('a');
  memory.put('b', thumb('b'));
  memory.put('c', thumb('c'));
  // One idle one is kept: the one that came last.
  expect(revoked).toEqual(['b']);
  memory.release('a');
  expect(revoked).toEqual(['b', 'c']);
  expect(memory.take('a')?.url).toBe('a');
  memory.clear();
  expect(revoked).toEqual(['b', 'c', 'a']);
});

let account: string;
beforeEach(() => (account = crypto.randomUUID()));
const row = (version: string, bytes: number) => ({
  version,
  picture: new Blob([new Uint8Array(bytes)]),
  width: 4,
  height: 3,
  seconds: null,
});
it('keeps pictures by version, and that there is none, across pages', async () => {
  const store = new Store(account);
  await store.put(row('one', 100));
  await store.put({ ...row('two', 0), picture: null });
  store.close();
  const next = new Store(account);
  expect(await next.find('one')).toMatchObject({ width: 4, height: 3, bytes: 300 });
  expect(await next.find('two')).toMatchObject({ picture: null });
  expect(await next.find('three')).toBeNull();
  expect(await next.size()).toBe(500);
  await next.empty();
  expect(await next.size()).toBe(0);
});
it('believes for a week that there is none', async () => {
  vi.useFakeTimers({ toFake: ['Date'], now: 1_000_000_000 });
  const store = new Store(account);
  await store.put({ ...row('one', 0), picture: null });
  for (let day = 1; day < 7; day += 1) {
    vi.setSystemTime(Date.now() + 86_400_000);
    expect(await store.find('one')).not.toBeNull();
  }
  vi.setSystemTime(Date.now() + 86_400_000);
  expect(await store.find('one')).toBeNull();
  vi.useRealTimers();
});
it('takes a worker that falls over for no answer', async () => {
  const picture = new Blob(['small']);
  let falls = 1;
  vi.stubGlobal(
    'Worker',
    class {
      onmessage: ((event: { data: unknown }) => void) | null = null;
      onerror: (() => void) | null = null;
      terminate = () => undefined;
      postMessage({ id, from }: { id: number; from: Blob }): void {
        void Promise.resolve().then(async () => {
          falls -= 1;
          if (falls >= 0) return this.onerror?.();
          const none = (await from.text()) === 'no picture';
          this.onmessage?.({ data: { id, picture: none ? null : picture, width: 4, height: 3 } });
        });
      }
    },
  );
  const source = (text: string) => ({ blob: async () => new Blob([text]) }) as unknown as ByteSource;
  const made = (text: string) => draw(file('a.jpg', 9), source(text), new AbortController().signal);
  expect(await made('a picture')).toMatchObject({ picture, width: 4 });
  expect(await made('no picture')).toMatchObject({ picture: null });
  falls = 2;
  await expect(made('a picture')).rejects.toThrow('fell over');
  expect(await made('a picture')).toMatchObject({ picture });
  vi.unstubAllGlobals();
});
it('is there for whoever comes back while the first look is given up', async () => {
  const asked: AbortSignal[] = [];
  const answers: ((bytes: Blob) => void)[] = [];
  vi.stubGlobal(
    'Worker',
    class {
      onmessage: ((event: { data: unknown }) => void) | null = null;
      postMessage = ({ id }: { id: number }) =>
        void Promise.resolve().then(() =>
          this.onmessage?.({ data: { id, picture: new Blob(['small']), width: 4, height: 3 } }),
        );
    },
  );
  const source = {
    account: () => account,
    blob: (_: unknown, signal: AbortSignal) =>
      new Promise<Blob>((resolve, reject) => {
        asked.push(signal);
        answers.push(resolve);
        signal.addEventListener('abort', () => reject(signal.reason as Error));
      }),
  } as unknown as ByteSource;
  const memory = new Memory();
  const wanted = { ...file('a.jpg', 9), version_id: crypto.randomUUID() };
  const leave = find(wanted, source, memory, () => undefined);
  await vi.waitFor(() => expect(asked).toHaveLength(1));
  // From the list to the tiles: the one goes, the other comes, and what the one asked for is given up after that.
  leave();
  const there = vi.fn();
  find(wanted, source, memory, there);
  await vi.waitFor(() => expect(asked).toHaveLength(2));
  expect(asked[0]!.aborted).toBe(true);
  answers[1]!(new Blob(['large']));
  await vi.waitFor(() => expect(there).toHaveBeenCalledOnce());
  expect(memory.take(wanted.version_id)).toMatchObject({ width: 4 });
  vi.unstubAllGlobals();
});
it('makes room by what was not looked at for longest', async () => {
  vi.useFakeTimers({ toFake: ['Date'], now: 1_000_000_000 });
  const store = new Store(account, 3_000);
  for (const name of ['a', 'b', 'c']) {
    await store.put(row(name, 700));
    vi.setSystemTime(Date.now() + 2 * 86_400_000);
  }
  await store.find('a');
  vi.setSystemTime(Date.now() + 1);
  await store.put(row('d', 700));
  expect(await store.size()).toBe(2_700);
  expect(await store.find('b')).toBeNull();
  expect(await store.find('a')).not.toBeNull();
  expect(await store.find('d')).not.toBeNull();
  vi.useRealTimers();
});

it('reads how large a picture is from its first bytes', () => {
  const bytes = (text: string) => Uint8Array.from(text.split(' ').map((two) => parseInt(two, 16)));
  expect(imageSize(bytes('89 50 4e 47 0d 0a 1a 0a 00 00 00 0d 49 48 44 52 00 00 02 d0 00 00 01 e0'))).toEqual({
    width: 720,
    height: 480,
  });
  expect(imageSize(bytes('47 49 46 38 39 61 0a 00 05 00 00 00'))).toEqual({ width: 10, height: 5 });
  // A comment, then the frame.
  expect(imageSize(bytes('ff d8 ff fe 00 04 41 42 ff c0 00 0b 08 00 64 00 c8 01 01 11 00'))).toEqual({
    width: 200,
    height: 100,
  });
  expect(
    imageSize(bytes('52 49 46 46 00 00 00 00 57 45 42 50 56 50 38 58 0a 00 00 00 00 00 00 00 1f 03 00 57 02 00')),
  ).toEqual({ width: 800, height: 600 });
  // Cut off, or something else: no answer, and no end without one.
  for (const text of ['ff d8 ff', 'ff d8 ff e1 00 00 00 00', 'ff d8 41 42 43 44', '00 01'])
    expect(imageSize(bytes(text))).toBeNull();
});
