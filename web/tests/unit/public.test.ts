// The page of links: where a visitor is, what they are shown, and files that are sent into a drop box.
import { describe, expect, it } from 'vitest';
import { Problem } from '@/api/problem';
import type { LinkedEntry, PublicLink } from '@/features/public/api';
import { Drops, type Drop } from '@/features/public/drops';
import { around, order, showsPictures, wantsGrid } from '@/features/public/listing';
import { pathOf, placeOf } from '@/features/public/place';

const entry = (name: string, change: Partial<LinkedEntry> = {}): LinkedEntry => ({
  id: `ent_${name}`,
  parent_id: 'ent_top',
  name,
  kind: 'file',
  size: 10,
  content_type: 'text/plain',
  modified_at: '2026-11-21T12:00:00Z',
  etag: '"1"',
  ...change,
});
const folder = (name: string) => entry(name, { kind: 'folder', size: null, content_type: null, etag: null });

it('reads and writes addresses', () => {
  expect(placeOf('/s/abc')).toEqual({ token: 'abc', entry: null });
  expect(placeOf('/s/abc/')).toEqual({ token: 'abc', entry: null });
  expect(placeOf('/s/abc/ent_1')).toEqual({ token: 'abc', entry: 'ent_1' });
  expect(placeOf('/s/')).toEqual({ token: '', entry: null });
  expect(placeOf('/s/%E0%A4%A')).toEqual({ token: '%E0%A4%A', entry: null });
  for (const place of [
    { token: 'a b/c', entry: null },
    { token: 'x', entry: 'ent_%' },
  ])
    expect(placeOf(pathOf(place))).toEqual(place);
});

describe('a folder', () => {
  it('shows folders first, in the order of people', () => {
    const shown = order([entry('Scan 10.pdf'), entry('Scan 2.pdf'), folder('Z'), folder('a')]);
    expect(shown.map((one) => one.name)).toEqual(['a', 'Z', 'Scan 2.pdf', 'Scan 10.pdf']);
  });
  it('is seen as pictures where most files are some', () => {
    const pictures = [entry('1.jpg'), entry('2.jpg')];
    expect(wantsGrid(pictures)).toBe(false);
    expect(wantsGrid([...pictures, entry('a.txt')])).toBe(true);
    expect(wantsGrid([...pictures, entry('a.txt'), entry('b.txt')])).toBe(false);
    expect(wantsGrid([folder('a'), folder('b'), folder('c')])).toBe(false);
  });
  it('fetches no picture that would use up a download, or is large', () => {
    const link = { downloads_left: null } as PublicLink;
    expect(showsPictures(link, entry('a.jpg'))).toBe(true);
    expect(showsPictures({ ...link, downloads_left: 5 }, entry('a.jpg'))).toBe(false);
    expect(showsPictures(link, entry('a.jpg', { size: 13_000_000 }))).toBe(false);
    expect(showsPictures(link, entry('a.txt'))).toBe(false);
  });
  it('knows what is beside a file, without folders', () => {
    const items = [entry('b'), folder('x'), entry('a'), entry('c')];
    const beside = around(items, 'ent_b');
    expect([beside.at, beside.count, beside.before?.name, beside.after?.name]).toEqual([1, 3, 'a', 'c']);
    expect(around(items, 'ent_a').before).toBeNull();
    expect(around(items, 'ent_gone')).toEqual({ at: -1, count: 3, before: null, after: null });
  });
});

describe('a drop box', () => {
  const file = (name: string, size = 3) => new File(['x'.repeat(size)], name);
  const settle = () => new Promise((resolve) => setTimeout(resolve));
  /** A server that answers when it is told to. */
  function server() {
    const open = new Map<
      string,
      { resolve: () => void; reject: (error: unknown) => void; progress: (sent: number) => void; signal: AbortSignal }
    >();
    const drops = new Drops(
      (drop: Drop, progress, signal) =>
        new Promise<void>((resolve, reject) => {
          open.set(drop.name, { resolve, reject, progress, signal });
          signal.addEventListener('abort', () => reject(new DOMException('cancelled', 'AbortError')));
        }),
    );
    const states = () => drops.list.map((drop) => `${drop.name} ${drop.state}`);
    return { open, drops, states };
  }

  it('sends three at a time, and one that fails holds up no other', async () => {
    const { open, drops, states } = server();
    drops.add(['a', 'b', 'c', 'd'].map((name) => file(name)));
    expect([...open.keys()]).toEqual(['a', 'b', 'c']);
    open.get('b')!.reject(new Problem(507, 'quota-exceeded', 'No room.'));
    await settle();
    expect(states()).toEqual(['a sending', 'b failed', 'c sending', 'd sending']);
    for (const name of ['a', 'c', 'd']) open.get(name)!.resolve();
    await settle();
    expect([drops.done.value, drops.failed.value.length, drops.busy.value]).toEqual([3, 1, false]);
    open.clear();
    drops.retry();
    expect([...open.keys()]).toEqual(['b']);
    open.get('b')!.resolve();
    await settle();
    expect(drops.share.value).toBe(1);
  });

  it('waits for the connection and goes on when it is back', async () => {
    const { open, drops, states } = server();
    drops.add([file('a'), file('b')]);
    open.get('a')!.progress(2);
    open.get('a')!.reject(Problem.offline());
    await settle();
    expect(states()).toEqual(['a waiting', 'b sending']);
    expect(drops.list[0]!.sent).toBe(0);
    // Nothing begins until there is reason to think that it can be reached.
    drops.add([file('c')]);
    expect(open.has('c')).toBe(false);
    drops.wake();
    expect(states()).toEqual(['a sending', 'b sending', 'c sending']);
    drops.close();
  });

  it('forgets what is cancelled', async () => {
    const { open, drops, states } = server();
    drops.add([file('a'), file('b'), file('c'), file('d')]);
    drops.cancel(drops.list[0]!);
    await settle();
    expect(open.get('a')!.signal.aborted).toBe(true);
    expect(states()).toEqual(['b sending', 'c sending', 'd sending']);
    drops.close();
    await settle();
  });
});
