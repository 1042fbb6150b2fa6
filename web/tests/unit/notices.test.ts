// What is told of the changes of others: shortly, once, and only where it is wanted.
import 'fake-indexeddb/auto';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { DriveDb, type Entry, type Notice } from '@/data/db';
import { isFollowed, setFollowed } from '@/data/notices/follow';
import { noteChanges } from '@/data/notices/journal';
import { addNotice, mostNotices, openNotice, readAll } from '@/data/notices/store';
import type { Change } from '@/data/sync/pull';
import { describeNotice } from '@/features/notifications/describe';
import { i18n, setLanguage } from '@/i18n';

const at = '2026-11-21T10:00:00.000000Z';
const entry = (id: string, name: string, parent: string | null, kind: 'folder' | 'file' = 'file'): Entry => ({
  id,
  space_id: 'spc_1',
  parent_id: parent,
  name,
  kind,
  revision: 1,
  created_at: at,
  modified_at: at,
});
let sequence = 0;
const change = (kind: string, of: Entry, actor: string | null = 'usr_anna', gone = false): Change => ({
  sequence: (sequence += 1),
  kind,
  entry_id: of.id,
  revision: 2,
  actor,
  operation_id: null,
  at,
  undoes: null,
  entry: gone ? null : of,
});

let db: DriveDb;
beforeEach(async () => {
  db = new DriveDb(`me-${(sequence += 1)}`);
  await db.entries.bulkPut([
    entry('ent_root', '', null, 'folder'),
    entry('ent_budget', 'Budget', 'ent_root', 'folder'),
    entry('ent_plan', 'Plan.txt', 'ent_budget'),
  ]);
  // Whose name is known is not asked for.
  await db.people.put({ id: 'usr_anna', name: 'Anna' });
  await setLanguage('en');
});
afterEach(async () => {
  await db.delete();
});
const told = async () => (await db.notices.orderBy('at').toArray()).map((one) => describeNotice(one, 'Anna'));
const plan = entry('ent_plan', 'Plan.txt', 'ent_budget');
const file = (number: number) => entry(`ent_${number}`, `${number}.txt`, 'ent_budget');

it('tells many changes of one person in one folder as one', async () => {
  await noteChanges(db, [change('content', plan)]);
  expect(await told()).toEqual(['Anna changed “Plan.txt” in “Budget”']);
  await noteChanges(db, [change('content', plan)]);
  expect(await told(), 'the same file again').toEqual(['Anna changed “Plan.txt” in “Budget”']);
  await noteChanges(
    db,
    Array.from({ length: 11 }, (_, number) => change('content', file(number))),
  );
  expect(await told()).toEqual(['Anna changed 12 items in “Budget”']);
  await noteChanges(db, [change('created', file(20))]);
  expect(await told()).toEqual(['Anna made 13 changes in “Budget”']);
});

it('says nothing of what was done by oneself, by nobody, or comes twice', async () => {
  const page = [change('created', file(1)), change('created', file(2))];
  await noteChanges(db, page);
  await noteChanges(db, page);
  await noteChanges(db, [change('content', plan, db.userId), change('content', plan, null), change('shared', plan)]);
  expect(await told()).toEqual(['Anna added 2 items to “Budget”']);
});

it('tells of what is removed while its name is still known', async () => {
  await noteChanges(db, [change('trashed', plan, 'usr_anna', true)]);
  expect(await told()).toEqual(['Anna removed “Plan.txt” from “Budget”']);
  expect((await db.notices.toArray())[0]?.to).toBe('/files/ent_budget');
});

it('counts what comes in a folder that came with it to that', async () => {
  const sub = entry('ent_sub', 'Receipts', 'ent_budget', 'folder');
  const inside = entry('ent_in', 'a.pdf', 'ent_sub');
  await noteChanges(db, [change('created', sub), change('created', inside)]);
  expect(await told()).toEqual(['Anna added 2 items to “Budget”']);
});

it('begins anew when what was told is read', async () => {
  await noteChanges(db, [change('content', plan)]);
  await readAll(db);
  await noteChanges(db, [change('content', file(1))]);
  expect((await told()).sort()).toEqual(['Anna changed “1.txt” in “Budget”', 'Anna changed “Plan.txt” in “Budget”']);
});

it('is silent about folders that are not followed, and what is below them', async () => {
  await setFollowed(db, 'ent_root', false);
  expect(await isFollowed(db, 'ent_budget')).toBe(false);
  await noteChanges(db, [change('content', plan)]);
  expect(await told()).toEqual([]);
  await setFollowed(db, 'ent_budget', true);
  await noteChanges(db, [change('content', plan)]);
  expect(await told()).toHaveLength(1);
});

it('keeps no more than there is room for, and not together what is hours apart', async () => {
  const notice = (time: string): Omit<Notice, 'id' | 'read'> => ({
    key: 'k',
    kind: 'quota',
    at: time,
    actor: null,
    name: '',
    count: 1,
    to: null,
  });
  for (let number = 0; number < mostNotices + 5; number += 1)
    await addNotice(db, notice(new Date(Date.parse(at) + number * 1000).toISOString()));
  expect(await db.notices.count()).toBe(mostNotices);
  expect((await db.notices.orderBy('at').first())?.at).toBe('2026-11-21T10:00:05.000Z');
  expect(await openNotice(db, 'k', '2026-11-21T11:00:00Z')).not.toBeNull();
  expect(await openNotice(db, 'k', '2026-11-22T11:00:00Z')).toBeNull();
});

it('has words for every kind in Russian', async () => {
  await setLanguage('ru');
  const kinds: Notice['kind'][] = [
    'shared',
    'team',
    'dropped',
    'quota',
    'uploaded',
    'failed',
    'conflict',
    'kept',
    'refused',
    'met',
    'job',
  ];
  for (const kind of kinds) {
    const text = describeNotice(
      { id: '1', key: '', kind, at, read: false, actor: null, name: 'Смета', count: 3, to: null },
      null,
    );
    expect(text, kind).toMatch(/[а-я]/);
  }
  i18n.global.locale.value = 'en';
});
