// Pulling and being told, together: a server with a journal, played by a function, and a socket played by hand. Whatever
// comes in whatever order, the local copy ends as the journal says, and nothing is pulled that was told.
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { DriveDb, type Entry } from '@/data/db';
import { Sync } from '@/data/sync/engine';
import type { LiveTokens } from '@/data/sync/live';
import { trail } from '@/data/read';
import { roleOf } from '@/data/roles';
import { lookAhead } from '@/data/sync/ahead';
import * as pull from '@/data/sync/pull';
import { asSocket, FakeSocket } from './fakeSocket';

// On a busy machine an event may take its time; what is tested is that it comes.
vi.setConfig({ testTimeout: 20_000 });
const until = <T>(check: () => T | Promise<T>) => vi.waitFor(check, 10_000);

const at = '2026-11-21T05:00:00.000000Z';
const entry = (id: string, name: string, revision: number, parent: string | null = 'ent_root'): Entry => ({
  id,
  space_id: 'spc_1',
  parent_id: parent,
  name,
  kind: parent ? 'file' : 'folder',
  revision,
  created_at: at,
  modified_at: at,
});
const root = entry('ent_root', '', 1, null);
const change = (number: number, id = `ent_${number}`, name = `${number}.txt`) => ({
  sequence: number,
  kind: 'created',
  entry_id: id,
  revision: number,
  actor: null,
  operation_id: null,
  undoes: null,
  at,
  entry: entry(id, name, number),
});

const tokens: LiveTokens = {
  access: async () => 'token',
  renew: async () => 'token',
  watch: (onChange) => {
    onChange({ access: 'token', accessUntil: Date.now() + 900_000 });
    return { unsubscribe: () => undefined };
  },
};
let db: DriveDb;
let sync: Sync;
let sockets: FakeSocket[];
let journal: ReturnType<typeof change>[];
let pulls: string[];
let down: boolean;
/** What every question about changes is answered with. */
let refusal: { status: number; code: string; detail: string; request_id?: string } | null;
let shared: unknown[];
/** Spaces of teams. */
let given: { id: string; root_id: string; kind?: string; name?: string }[];
/** The first cursor that the journal still has. */
let oldest: number;
const socket = () => sockets.at(-1)!;
const follows = () => socket().sent.filter((one) => one.do === 'follow');
const names = async () =>
  (await db.entries.where('parent_id').equals('ent_root').toArray()).map((one) => one.name).sort();
const settled = () => until(() => expect(sync.state).toMatchObject({ link: 'online', busy: false }));
const push = (since: number, next: number, items = journal.slice(since, next)) =>
  socket().say({ push: 'changes', space: 'spc_1', since: `1.${since}`, next: `1.${next}`, items });

beforeEach(() => {
  vi.spyOn(Math, 'random').mockReturnValue(0);
  // The only tab there is leads.
  const request = (_: string, __: unknown, work: () => Promise<void>) => work();
  Object.defineProperty(navigator, 'locks', { value: { request }, configurable: true });
  db = new DriveDb(crypto.randomUUID());
  sockets = [];
  pulls = [];
  down = false;
  refusal = null;
  shared = [];
  given = [];
  oldest = 0;
  journal = [change(1), change(2)];
  vi.stubGlobal('fetch', async (request: Request) => {
    const url = new URL(request.url);
    const path = url.pathname.replace('/api/v1', '');
    const reply = (status: number, body: unknown) =>
      new Response(JSON.stringify(body), { status, headers: { 'content-type': 'application/json' } });
    if (down) throw new TypeError('failed to fetch');
    if (refusal) return reply(refusal.status, refusal);
    if (path === '/spaces')
      return reply(200, {
        items: [
          { id: 'spc_1', kind: 'personal', name: '', root_id: 'ent_root', used_bytes: 0, reserved_bytes: 0 },
          ...given,
        ],
      });
    if (path === '/shared-with-me') return reply(200, { items: shared, next_cursor: null });
    if (path === '/folders/ent_root') return reply(200, root);
    if (path === '/spaces/spc_1/tags') return reply(200, { items: [], next_cursor: null });
    if (path === '/spaces/spc_1/entries') {
      pulls.push('all');
      const items = [...new Map(journal.map((one) => [one.entry_id, one.entry])).values()];
      // In two pages, the first of which is half of it.
      const rest = url.searchParams.get('cursor') === 'rest';
      const half = Math.ceil(items.length / 2);
      const page = rest ? items.slice(half) : items.slice(0, half);
      return reply(200, { items: page, since: `1.${journal.length}`, next_cursor: rest ? null : 'rest' });
    }
    if (path === '/folders/ent_team') return reply(200, { ...root, id: 'ent_team', space_id: 'spc_team' });
    if (path === '/folders/ent_team/children') return reply(200, { items: [], next_cursor: null });
    if (path === '/spaces/spc_team/tags') return reply(200, { items: [], next_cursor: null });
    if (path === '/spaces/spc_team/entries') return reply(200, { items: [], since: '1.0', next_cursor: null });
    if (path === '/spaces/spc_team/changes') return reply(200, { items: [], next: '1.0', more: false });
    if (path !== '/spaces/spc_1/changes') throw new Error(path);
    const since = url.searchParams.get('since');
    pulls.push(since ?? 'all');
    const from = Number(since?.split('.')[1] ?? oldest);
    if (from < oldest) return reply(410, { status: 410, code: 'cursor-gone', title: '', detail: '' });
    return reply(200, { items: journal.slice(from), next: `1.${journal.length}`, more: false });
  });
  sync = new Sync(
    db,
    () => undefined,
    () => (sockets.push(new FakeSocket()), asSocket(socket())),
    tokens,
  );
});
afterEach(() => sync.close());

/** Started, pulled, and followed from the end of the journal. */
async function follow(): Promise<void> {
  sync.start();
  await until(() => expect(sockets).toHaveLength(1));
  socket().accept();
  await until(() => expect(follows()).toHaveLength(1));
  await settled();
  socket().say({ reply: follows()[0]!.id, ok: { space: 'spc_1', cursor: `1.${journal.length}` } });
  pulls.splice(0);
}

it('pulls first, then follows from where the pull ended', async () => {
  await follow();
  expect(follows()[0]).toMatchObject({ space: 'spc_1', since: '1.2' });
  expect(await names()).toEqual(['1.txt', '2.txt']);
});

it('writes down what goes on from its cursor without asking', async () => {
  await follow();
  journal.push(change(3), change(4), change(5));
  push(2, 3);
  push(3, 5);
  await until(async () => expect((await db.spaces.get('spc_1'))?.cursor).toBe('1.5'));
  expect(await names()).toEqual(['1.txt', '2.txt', '3.txt', '4.txt', '5.txt']);
  // Own work is sent, and what comes of it is told: a kick asks for nothing.
  sync.kick();
  await settled();
  expect(pulls).toEqual([]);
});

it('pulls where a push leaves a gap', async () => {
  await follow();
  journal.push(change(3), change(4));
  push(3, 4);
  await until(async () => expect(await names()).toEqual(['1.txt', '2.txt', '3.txt', '4.txt']));
  expect(pulls).toEqual(['1.2']);
  journal.push(change(5));
  push(4, 5);
  await until(async () => expect(await names()).toContain('5.txt'));
  expect(pulls).toEqual(['1.2']);
});

it('takes nothing twice: what a pull brought already is passed over', async () => {
  await follow();
  const apply = vi.spyOn(pull, 'applyPage');
  journal.push(change(3));
  socket().say({ push: 'behind', space: 'spc_1', next: '1.3' });
  await until(async () => expect(await names()).toContain('3.txt'));
  await settled();
  apply.mockClear();
  push(2, 3);
  journal.push(change(4));
  push(3, 4);
  await until(async () => expect(await names()).toContain('4.txt'));
  expect(pulls).toEqual(['1.2']);
});

it('lets no older state replace a newer one that it knows already', async () => {
  await follow();
  await db.entries.put(entry('ent_3', 'newer.txt', 9));
  journal.push(change(3));
  push(2, 3);
  await until(async () => expect((await db.spaces.get('spc_1'))?.cursor).toBe('1.3'));
  expect(await names()).toEqual(['1.txt', '2.txt', 'newer.txt']);
});

it('pulls when there is more than a push holds, from its own cursor', async () => {
  await follow();
  for (let number = 3; number <= 90; number += 1) journal.push(change(number));
  socket().say({ push: 'behind', space: 'spc_1', next: '1.90' });
  await until(async () => expect(await names()).toHaveLength(90));
  expect(pulls).toEqual(['1.2']);
});

it('starts over when the journal cannot be continued, and follows again', async () => {
  await follow();
  journal.push(change(3));
  oldest = 3;
  journal = [...journal, change(4, 'ent_4', 'after.txt')];
  socket().say({ push: 'ended', space: 'spc_1', error: { code: 'cursor-gone' } });
  await until(() => expect(follows()).toHaveLength(2));
  expect(follows()[1]).toMatchObject({ since: '1.4' });
  expect(pulls).toEqual(['1.2', 'all', 'all', '1.4']);
  expect(await names()).toEqual(['1.txt', '2.txt', '3.txt', 'after.txt']);
});

it('begins with the tree as it is, and not with all that ever happened', async () => {
  // What a beginning that was cut off had brought, and somebody has deleted since.
  await db.entries.put(entry('ent_stale', 'stale.txt', 1));
  oldest = 2;
  await follow();
  expect(await names()).toEqual(['1.txt', '2.txt']);
  expect((await db.spaces.get('spc_1'))?.cursor).toBe('1.2');
});

it('does not storm a server that refuses to be followed', async () => {
  await follow();
  // The first time is looked into at once, what follows on its heels is not.
  socket().say({ push: 'ended', space: 'spc_1', error: { code: 'not-found' } });
  await until(() => expect(follows()).toHaveLength(2));
  await settled();
  pulls.splice(0);
  socket().say({ push: 'ended', space: 'spc_1', error: { code: 'not-found' } });
  for (let round = 0; round < 3; round += 1) {
    sync.kick();
    await settled();
  }
  await new Promise((resolve) => setTimeout(resolve, 100));
  expect(follows()).toHaveLength(2);
  expect(pulls.length).toBeLessThanOrEqual(3);
});

it('is offline as soon as the socket breaks and nothing answers, and misses nothing when it is back', async () => {
  await follow();
  down = true;
  socket().onclose?.({ code: 1006 });
  await until(() => expect(sync.state.link).toBe('offline'));
  journal.push(change(3));
  down = false;
  await until(() => expect(sockets).toHaveLength(2));
  journal.push(change(4));
  socket().accept();
  await until(() => expect(follows()).toHaveLength(1));
  await settled();
  expect(await names()).toEqual(['1.txt', '2.txt', '3.txt', '4.txt']);
  expect(follows()[0]).toMatchObject({ since: '1.4' });
});

it('keeps a refusal that does not pass by itself, tells it to the other tabs, and forgets it when all is well', async () => {
  await follow();
  const heard: unknown[] = [];
  const tab = new BroadcastChannel(`${db.name}-sync`);
  tab.onmessage = (event: MessageEvent<{ state?: { problem: unknown } }>) =>
    event.data.state && heard.push(event.data.state.problem);
  refusal = { status: 403, code: 'permission-missing', detail: 'not you', request_id: 'req_1' };
  sync.doubt();
  const problem = { status: 403, code: 'permission-missing', message: 'not you', requestId: 'req_1' };
  await until(() => expect(sync.state).toMatchObject({ link: 'online', busy: false, problem }));
  await until(() => expect(heard).toContainEqual(problem));
  refusal = null;
  sync.doubt();
  await until(() => expect(sync.state.problem).toBeNull());
  await until(() => expect(heard.at(-1)).toBeNull());
  tab.close();
});

it('does not call it a lost connection when this device cannot be written to', async () => {
  await follow();
  vi.spyOn(pull, 'pullSpaces').mockRejectedValue(new DOMException('no room', 'QuotaExceededError'));
  sync.doubt();
  await until(() => expect(sync.state).toMatchObject({ link: 'online', busy: false, problem: { code: 'device' } }));
});

it('goes on by polling where there is no socket', async () => {
  sync.start();
  await settled();
  const rounds = pulls.length;
  journal.push(change(3));
  // Nobody tells, so each round asks.
  sync.kick();
  await until(async () => expect(await names()).toContain('3.txt'));
  expect(pulls.length).toBeGreaterThan(rounds);
});

it('looks at once when the browser says that it is online', async () => {
  await follow();
  globalThis.dispatchEvent(new Event('online'));
  await until(() => expect(pulls).toEqual(['1.2']));
  expect(socket().sent.at(-1)).toMatchObject({ do: 'ping' });
});

it('pulls again what a push could not write down', async () => {
  await follow();
  journal.push(change(3));
  vi.spyOn(db.entries, 'bulkPut').mockRejectedValueOnce(new Error('no room'));
  vi.spyOn(console, 'warn').mockReturnValue(undefined);
  push(2, 3);
  await until(async () => expect(await names()).toContain('3.txt'));
  expect(pulls).toEqual(['1.2']);
});

it('follows what is shared out of a space that it cannot see whole, and forgets it when the role is taken', async () => {
  const top = { ...entry('ent_top', 'Shared', 1, 'ent_unseen'), kind: 'folder' as const, space_id: 'spc_2' };
  const inside = { ...entry('ent_in', 'in.txt', 1, 'ent_top'), space_id: 'spc_2' };
  const answer = globalThis.fetch;
  let asked = 0;
  let taken = false;
  vi.stubGlobal('fetch', async (request: Request) => {
    const { pathname } = new URL(request.url);
    const reply = (status: number, body: unknown) =>
      new Response(JSON.stringify(body), { status, headers: { 'content-type': 'application/json' } });
    if (pathname.endsWith('/spaces/spc_2/entries')) {
      if (taken) return reply(404, { status: 404, code: 'not-found', title: '', detail: '' });
      return reply(200, { items: [top, inside], since: '1.0', next_cursor: null });
    }
    if (pathname.endsWith('/spaces/spc_2/changes')) {
      asked += 1;
      if (taken) return reply(404, { status: 404, code: 'not-found', title: '', detail: '' });
      const items = [
        { ...change(1, 'ent_top'), kind: 'shared', entry: top },
        { ...change(2, 'ent_in'), entry: inside },
      ];
      return reply(200, { items, next: '1.2', more: false });
    }
    if (pathname.endsWith('/folders/ent_top/children')) return reply(200, { items: [inside], next_cursor: null });
    return answer(request);
  });
  const grant = { id: 'grt_1', role: 'viewer', expires_at: null };
  shared = [{ grant, entry: top, space_id: 'spc_2', shared_by: { id: 'usr_2', name: 'ada', display_name: 'Ada' } }];
  sync.start();
  await until(() => expect(sockets).toHaveLength(1));
  socket().accept();
  // In whatever order: the first pull may be between them when the socket opens.
  await until(() =>
    expect(
      follows()
        .map((one) => one.space)
        .sort(),
    ).toEqual(['spc_1', 'spc_2']),
  );
  await settled();
  expect(asked).toBeGreaterThan(0);
  expect((await db.entries.where('parent_id').equals('ent_top').toArray()).map((one) => one.name)).toEqual(['in.txt']);
  expect((await trail(db, 'ent_in')).map((one) => one.name)).toEqual(['Shared', 'in.txt']);
  expect([await roleOf(db, 'ent_in'), await roleOf(db, 'ent_1')]).toEqual(['viewer', 'manager']);

  // The role goes while it is being pulled: one's own files are in step all the same.
  taken = true;
  journal.push(change(3));
  sync.doubt();
  await until(async () => expect(await names()).toContain('3.txt'));
  await settled();
  shared = [];
  sync.doubt();
  await until(async () => expect(await db.spaces.get('spc_2')).toBeUndefined());
  expect(await db.entries.get('ent_in')).toBeUndefined();
});

it('lets the journal of one space say nothing of what is in another by now', async () => {
  const folder = (space: string, revision: number): Entry => ({
    ...entry('ent_f', 'F', revision),
    kind: 'folder',
    space_id: space,
  });
  const file = (space: string): Entry => ({ ...entry('ent_x', 'x.txt', 1, 'ent_f'), space_id: space });
  const say = (kind: string, of: string, state: Entry | null) => ({ ...change(1, of), kind, entry: state });
  const answer = globalThis.fetch;
  vi.stubGlobal('fetch', async (request: Request) =>
    new URL(request.url).pathname.endsWith('/folders/ent_f/children')
      ? new Response(JSON.stringify({ items: [file('spc_2')], next_cursor: null }), {
          headers: { 'content-type': 'application/json' },
        })
      : answer(request),
  );
  const there = [say('moved', 'ent_f', folder('spc_2', 2))];
  const here = [
    say('created', 'ent_f', folder('spc_1', 1)),
    say('created', 'ent_x', file('spc_1')),
    say('left', 'ent_f', null),
  ];
  // Whichever of the two journals is read first.
  for (const first of [here, there]) {
    await db.entries.clear();
    for (const changes of first === here ? [here, there] : [there, here])
      await pull.applyChanges(db, changes, changes === here ? 'spc_1' : 'spc_2');
    const seen = (await db.entries.toArray()).map((one) => [one.id, one.space_id]);
    expect(seen).toEqual([
      ['ent_f', 'spc_2'],
      ['ent_x', 'spc_2'],
    ]);
  }
});

describe('of two spaces between which a folder goes', () => {
  const folder = (space: string, revision: number, id = 'ent_f'): Entry => ({
    ...entry(id, id, revision),
    kind: 'folder',
    space_id: space,
  });
  const file = (space: string, id = 'ent_x'): Entry => ({ ...entry(id, `${id}.txt`, 1, 'ent_f'), space_id: space });
  const say = (kind: string, state: Entry, more: object = {}) => ({
    ...change(1, state.id),
    kind,
    revision: state.revision,
    entry: ['left', 'trashed'].includes(kind) ? null : state,
    ...more,
  });
  /** What is in the folder by the time that it is asked for. */
  let inside: Entry[];
  const seen = async () => (await db.entries.toArray()).map((one) => `${one.id} ${one.space_id}`);

  beforeEach(() => {
    const answer = globalThis.fetch;
    vi.stubGlobal('fetch', async (request: Request) =>
      new URL(request.url).pathname.endsWith('/folders/ent_f/children')
        ? new Response(JSON.stringify({ items: inside, next_cursor: null }), {
            headers: { 'content-type': 'application/json' },
          })
        : answer(request),
    );
  });

  it('forgets what was removed from it elsewhere, if only that space was learned anew', async () => {
    await db.entries.bulkPut([folder('spc_2', 2), file('spc_2'), file('spc_1', 'ent_gone')]);
    await pull.applyChanges(db, [say('left', folder('spc_1', 2))], 'spc_1');
    expect(await seen()).toEqual(['ent_f spc_2', 'ent_x spc_2']);
  });

  it('lists what came back with a folder that it never saw leave', async () => {
    // It left in a folder that was listed only when it had come back by itself.
    await db.entries.bulkPut([folder('spc_1', 1), file('spc_2')]);
    inside = [file('spc_1'), file('spc_1', 'ent_new')];
    await pull.applyChanges(db, [say('moved', folder('spc_1', 2), { arrived: true })], 'spc_1');
    expect(await seen()).toEqual(['ent_f spc_1', 'ent_new spc_1', 'ent_x spc_1']);
  });

  it('keeps what came out of the trash before it went over', async () => {
    inside = [file('spc_2')];
    await db.entries.bulkPut([folder('spc_2', 4), file('spc_2')]);
    const before = [
      say('trashed', folder('spc_1', 2)),
      say('restored', folder('spc_1', 3)),
      say('left', folder('spc_1', 4)),
    ];
    await pull.applyChanges(db, before, 'spc_1');
    expect(await seen()).toEqual(['ent_f spc_2', 'ent_x spc_2']);
  });
});

it('finds a space that it was given when somebody comes back to the page', async () => {
  await follow();
  given = [{ id: 'spc_team', root_id: 'ent_team' }];
  globalThis.dispatchEvent(new Event('focus'));
  await until(() => expect(follows().map((one) => one.space)).toEqual(['spc_1', 'spc_team']));
  await settled();
  // Who goes to and fro asks no more often than that.
  const before = pulls.length;
  globalThis.dispatchEvent(new Event('focus'));
  await settled();
  expect(pulls).toHaveLength(before);

  // What was taken is gone as soon as the server says so.
  given = [];
  const start = Date.now();
  socket().say({ push: 'ended', space: 'spc_team', error: { code: 'not-found' } });
  await until(async () => expect(await db.spaces.get('spc_team')).toBeUndefined());
  expect(Date.now() - start).toBeLessThan(900);
  expect(await db.entries.get('ent_team')).toBeUndefined();
});

it('calls the folder of a team as its space is, also when it was opened before the space was learned', async () => {
  given = [{ id: 'spc_team', root_id: 'ent_team', kind: 'team', name: 'Harbour team' }];
  await pull.pullSpaces(db);
  const way = async () => (await trail(db, 'ent_team')).map((one) => one.name);
  await lookAhead(db, 'ent_team', () => undefined);
  expect(await way()).toEqual(['Harbour team']);
  await db.entries.update('ent_team', { name: '' });
  await pull.pullSpace(db, 'spc_team');
  expect(await way()).toEqual(['Harbour team']);
});
