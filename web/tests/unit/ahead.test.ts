// What is asked for beside the first pull of a space: it is there at once, and takes back nothing that the pull or the journal
// know better.
import { beforeEach, expect, it, vi } from 'vitest';
import { DriveDb, type Entry } from '@/data/db';
import { lookAhead } from '@/data/sync/ahead';

const at = '2026-11-21T05:00:00.000000Z';
const entry = (id: string, parent: string | null, kind: Entry['kind'] = 'file', revision = 1): Entry => ({
  id,
  space_id: 'spc_1',
  parent_id: parent,
  name: `${id}.name`,
  kind,
  revision,
  created_at: at,
  modified_at: at,
});
const root = entry('ent_root', null, 'folder');
const trips = entry('ent_trips', 'ent_root', 'folder');
const summer = entry('ent_summer', 'ent_trips', 'folder');
const pictures = ['ent_a', 'ent_b', 'ent_c'].map((id) => entry(id, 'ent_summer'));

let db: DriveDb;
let asked: string[];
/** Happens before a page of children is answered. */
let meanwhile: () => Promise<unknown>;
const space = { id: 'spc_1', kind: 'personal', name: '', root_id: 'ent_root', used_bytes: 0, reserved_bytes: 0 };
const known = async () => (await db.entries.toCollection().primaryKeys()).sort();

beforeEach(async () => {
  db = new DriveDb(crypto.randomUUID());
  await db.spaces.put({ ...space, large: true });
  await db.entries.put(root);
  asked = [];
  meanwhile = async () => undefined;
  vi.spyOn(globalThis, 'fetch').mockImplementation(async (input) => {
    const url = new URL(input instanceof Request ? input.url : String(input), location.href);
    const path = url.pathname.replace('/api/v1/folders/', '');
    const reply = (status: number, body: unknown) =>
      new Response(JSON.stringify(body), { status, headers: { 'content-type': 'application/json' } });
    asked.push(path);
    const folder = [trips, summer].find((one) => one.id === path);
    if (folder) return reply(200, folder);
    if (path === 'ent_summer/children') {
      await meanwhile();
      const rest = url.searchParams.get('cursor') === 'rest';
      return reply(200, { items: rest ? pictures.slice(2) : pictures.slice(0, 2), next_cursor: rest ? null : 'rest' });
    }
    return reply(404, { status: 404, code: 'not-found', title: '', detail: '' });
  });
});

it('learns a folder, page by page, and the folders above it', async () => {
  const counts: number[] = [];
  await lookAhead(db, 'ent_summer', (count) => counts.push(count));
  expect(counts).toEqual([Infinity, 3]);
  expect(await known()).toEqual(['ent_a', 'ent_b', 'ent_c', 'ent_root', 'ent_summer', 'ent_trips']);
  expect(asked).toEqual(['ent_summer', 'ent_summer/children', 'ent_summer/children', 'ent_trips']);
});

it('puts nothing back once the pull is at its end', async () => {
  await db.entries.bulkPut([trips, summer]);
  // The pull ends while the answer is on its way; what was removed since is told by the journal, and only once.
  meanwhile = () => db.spaces.update('spc_1', { cursor: '1.7' });
  const onPage = vi.fn();
  await lookAhead(db, 'ent_summer', onPage);
  expect(onPage).not.toHaveBeenCalled();
  expect(await known()).toEqual(['ent_root', 'ent_summer', 'ent_trips']);
});

it('leaves what is newer, and what went to another space', async () => {
  await db.entries.bulkPut([trips, summer]);
  const newer = { ...entry('ent_a', 'ent_root', 'file', 9), name: 'renamed' };
  const elsewhere = { ...entry('ent_b', 'ent_other'), space_id: 'spc_2' };
  await db.entries.bulkPut([newer, elsewhere]);
  await lookAhead(db, 'ent_summer', () => undefined);
  expect(await db.entries.get('ent_a')).toEqual(newer);
  expect(await db.entries.get('ent_b')).toEqual(elsewhere);
  expect(await db.entries.get('ent_c')).toBeDefined();
});

it('knows nothing of a folder that is not to be seen', async () => {
  const onPage = vi.fn();
  await lookAhead(db, 'ent_gone', onPage);
  expect(onPage).not.toHaveBeenCalled();
  expect(await known()).toEqual(['ent_root']);
});

it('holds up nothing where there is no answer', async () => {
  vi.spyOn(console, 'warn').mockImplementation(() => undefined);
  meanwhile = () => Promise.reject(new TypeError('failed to fetch'));
  const onShown = vi.fn();
  await lookAhead(db, 'ent_summer', onShown);
  expect(onShown.mock.calls).toEqual([[Infinity]]);
});
