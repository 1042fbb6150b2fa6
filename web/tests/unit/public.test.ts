// The page of links: where a visitor is, what they are shown, and files that are sent into a drop box.
import { describe, expect, it, vi } from 'vitest';
import { Problem } from '@/api/problem';
import type { LinkedEntry, PublicLink } from '@/features/public/api';
import { Children } from '@/features/public/children';
import { take } from '@/features/public/dropped';
import { Drops, shownOf, type Drop } from '@/features/public/drops';
import { around, inOrder, order, showsPictures, wantsGrid } from '@/features/public/listing';
import { pathOf, placeOf } from '@/features/public/place';
import { rowsInSight } from '@/features/public/useRows';

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
    const items = order([entry('b'), folder('x'), entry('a'), entry('c')]);
    const beside = around(items, 'ent_b');
    expect([beside.at, beside.count, beside.before?.name, beside.after?.name]).toEqual([1, 3, 'a', 'c']);
    expect(around(items, 'ent_a').before).toBeNull();
    expect(around(items, 'ent_gone')).toEqual({ at: -1, count: 3, before: null, after: null });
  });
});

describe('a folder of many files', () => {
  const all = Array.from({ length: 2_500 }, (_, at) =>
    at % 500 === 7 ? folder(`Folder ${at}`) : entry(`File ${at}.txt`),
  );
  /** As the server does it: by code point, folders and files together. */
  const told = [...all].sort((a, b) => (a.name < b.name ? -1 : 1));
  const server = (fails: () => boolean = () => false) =>
    vi.fn((_token: string, _folder: string, cursor: string | null, limit: number) => {
      if (fails()) return Promise.reject(Problem.offline());
      const from = Number(cursor ?? 0);
      const next = from + limit < told.length ? `${from + limit}` : null;
      return Promise.resolve({ items: told.slice(from, from + limit), next_cursor: next });
    });
  const namesOf = (list: readonly LinkedEntry[] | null) => list?.map((one) => one.name);

  it('is loaded whole and stays in order, so that what is beside a file is right', async () => {
    const learned = vi.fn();
    const children = new Children('token', 'ent_top', learned, server());
    await children.load();
    expect(children.complete.value).toBe(true);
    expect(namesOf(children.items.value)).toEqual(namesOf(order(all)));
    expect(learned.mock.calls.flatMap(([some]) => some as unknown[])).toHaveLength(all.length);
    // Beyond the server's first pages, and not where the server has it.
    const beside = around(children.items.value!, 'ent_File 1999.txt');
    expect([beside.at, beside.count, beside.before?.name, beside.after?.name]).toEqual([
      1995,
      2_495,
      'File 1998.txt',
      'File 2000.txt',
    ]);
  });
  it('goes on where it was after the connection was gone', async () => {
    let calls = 0;
    const list = server(() => (calls += 1) === 2);
    const children = new Children('token', 'ent_top', () => undefined, list);
    await children.load();
    expect([children.items.value?.length, children.problem.value?.status]).toEqual([200, 0]);
    expect(children.fresh).toBe(false);
    await children.load();
    expect(children.items.value).toHaveLength(all.length);
    expect(list.mock.calls.map(([, , cursor]) => cursor)).toEqual([null, '200', '200', '1200', '2200']);
  });
  it('is not asked for any further when it is left', async () => {
    const list = server();
    const children = new Children('token', 'ent_top', () => undefined, list);
    const loading = children.load();
    children.leave();
    await loading;
    expect(list).toHaveBeenCalledTimes(1);
  });
  it('has only rows in sight, whatever its length', () => {
    expect(rowsInSight(-120, 800, 44, 10_000)).toEqual({ from: 0, to: 22 });
    expect(rowsInSight(220_000, 800, 44, 10_000)).toEqual({ from: 4994, to: 5025 });
    expect(rowsInSight(439_500, 800, 44, 10_000)).toEqual({ from: 9982, to: 10_000 });
    expect(rowsInSight(0, 800, 44, 3)).toEqual({ from: 0, to: 3 });
    // Shorter than it was when somebody scrolled.
    expect(rowsInSight(9_000, 800, 44, 3)).toEqual({ from: 3, to: 3 });
  });
  it('joins two lists that are in order', () => {
    const some = order([entry('b'), entry('d'), folder('z')]);
    const more = order([entry('a'), entry('c'), entry('e'), folder('y')]);
    expect(namesOf(inOrder(some, more))).toEqual(['y', 'z', 'a', 'b', 'c', 'd', 'e']);
    expect(namesOf(inOrder([], more))).toEqual(namesOf(more));
  });
});

describe('a drop box', () => {
  const file = (name: string, size = 3) => ({ file: new File(['x'.repeat(size)], name), from: '' });
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

  it('takes the files of folders, and knows where they were', async () => {
    type Tree = { [name: string]: Tree | string };
    const entryOf = (name: string, inside: Tree | string): unknown =>
      typeof inside === 'string'
        ? { name, isDirectory: false, file: (resolve: (file: File) => void) => resolve(new File([inside], name)) }
        : {
            name,
            isDirectory: true,
            createReader() {
              const pages = [Object.entries(inside).map(([child, within]) => entryOf(child, within)), []];
              return { readEntries: (resolve: (page: unknown) => void) => resolve(pages.shift()) };
            },
          };
    const item = (name: string, inside: Tree | string) => ({
      kind: 'file',
      webkitGetAsEntry: () => entryOf(name, inside),
      getAsFile: () => new File(typeof inside === 'string' ? [inside] : [], name),
    });
    const data = { items: [item('Trip', { 'a.txt': 'a', Sub: { 'b.txt': 'b' }, Empty: {} }), item('c.txt', 'c')] };
    const found = await take(data as unknown as DataTransfer);
    expect(found.map(({ file: one, from }) => [from, one.name])).toEqual([
      ['Trip', 'a.txt'],
      ['Trip/Sub', 'b.txt'],
      ['', 'c.txt'],
    ]);
  });

  it('shows a bounded part of what there is', () => {
    const many = (state: Drop['state'], count: number) =>
      Array.from({ length: count }, (_, at) => ({ id: at, state, name: `${state} ${at}` }) as Drop);
    const shown = shownOf([
      ...many('done', 500),
      ...many('failed', 500),
      ...many('sending', 3),
      ...many('waiting', 500),
    ]);
    expect(shown).toHaveLength(303);
    expect([shown[0]!.name, shown.at(-1)!.name]).toEqual(['done 400', 'waiting 99']);
  });
});
