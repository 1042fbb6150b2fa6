// What is to be brought to this device, and what of it goes again.
import { beforeEach, expect, it } from 'vitest';
import { DriveDb, type Entry, type Kept } from '@/data/db';
import { wantedFiles } from '@/data/keep/keeper';
import { planOf } from '@/data/keep/plan';

const file = (id: string, size: number, parent = 'root', version = 'v1'): Entry => ({
  id,
  space_id: 'spc',
  parent_id: parent,
  name: id,
  kind: 'file',
  revision: 1,
  created_at: '',
  modified_at: '',
  size,
  version_id: version,
});
const folder = (id: string, parent: string): Entry => ({ ...file(id, 0, parent), kind: 'folder', size: undefined });
const kept = (id: string, size: number, version = 'v1'): Kept => ({ id, size, version, at: '' });
const ids = (list: readonly { id: string }[]) => list.map((one) => one.id);

it('fetches what is missing or has another version, small files first', () => {
  const plan = planOf(
    [file('a', 30), file('b', 10), file('c', 20, 'root', 'v2'), file('d', 5)],
    [kept('c', 20), kept('d', 5)],
    100,
  );
  expect(ids(plan.fetch)).toEqual(['b', 'c', 'a']);
  expect([plan.remove, plan.beyond, plan.wanted]).toEqual([[], [], 65]);
});
it('removes what nobody wants any more', () => {
  expect(ids(planOf([file('a', 1)], [kept('a', 1), kept('b', 1)], 100).remove)).toEqual(['b']);
});
it('stays within the room, keeps what is here, and says what has none', () => {
  const plan = planOf([file('a', 60), file('b', 30), file('c', 50)], [kept('a', 60)], 100);
  expect([ids(plan.fetch), ids(plan.beyond), ids(plan.remove)]).toEqual([['b'], ['c'], []]);
  // With less room than is taken already nothing goes by itself.
  expect(ids(planOf([file('a', 60)], [kept('a', 60)], 10).remove)).toEqual([]);
});

let db: DriveDb;
beforeEach(() => {
  db = new DriveDb(crypto.randomUUID());
});
it('wants all files below what was chosen, each once', async () => {
  await db.entries.bulkPut([
    folder('top', 'root'),
    folder('deep', 'top'),
    file('x', 1, 'top'),
    file('y', 1, 'deep'),
    file('z', 1, 'root'),
    file('w', 1, 'root'),
  ]);
  await db.pins.bulkPut([
    { id: 'top', at: '' },
    { id: 'deep', at: '' },
    { id: 'z', at: '' },
    { id: 'gone', at: '' },
  ]);
  expect(ids(await wantedFiles(db)).sort()).toEqual(['x', 'y', 'z']);
});
