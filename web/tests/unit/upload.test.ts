// Uploads that outlive the page: what is kept, who takes it over, and that only the same file goes on.
import { beforeEach, describe, expect, it } from 'vitest';
import { DriveDb } from '@/data/db';
import { Keep } from '@/features/upload/keep';
import { linesOf, type UploadRow } from '@/features/upload/rows';
import { fingerprint, isSame, reopen, type Handle } from '@/features/upload/source';

const row = (name: string, more: Partial<UploadRow> = {}): UploadRow => ({
  id: name,
  entry: `ent_${name}`,
  operation: null,
  name,
  size: 4,
  type: 'text/plain',
  modified: 1_000,
  parent: 'ent_root',
  folder: 'My files',
  group: null,
  state: 'waiting',
  sent: 0,
  onConflict: 'fail',
  url: null,
  problem: null,
  ...more,
});
const file = (text: string, lastModified = 1_000) => new File([text], 'a.txt', { lastModified });

describe('the same file', () => {
  it('is known by its bytes, not by its time', async () => {
    const print = await fingerprint(file('abcd'));
    expect(await isSame(file('abcd', 5), row('a'), print)).toBe(true);
    expect(await isSame(file('abcx'), row('a'), print)).toBe(false);
    expect(await isSame(file('abcde'), row('a'), print)).toBe(false);
  });

  it('goes by its time before its bytes were looked at', async () => {
    expect(await isSame(file('abcd'), row('a'), null)).toBe(true);
    expect(await isSame(file('abcd', 5), row('a'), null)).toBe(false);
  });

  it('tells files apart that differ only at their end', async () => {
    const long = 'x'.repeat(300_000);
    expect(await fingerprint(file(`${long}a`))).not.toBe(await fingerprint(file(`${long}b`)));
  });

  it('is asked for only in a click, and is lost when it changed', async () => {
    let state: PermissionState = 'prompt';
    const handle: Handle = {
      getFile: () => Promise.resolve(file('abcd')),
      queryPermission: () => Promise.resolve(state),
      requestPermission: () => Promise.resolve((state = 'granted')),
    };
    expect(await reopen(handle, row('a'), null, false)).toEqual({ state: 'locked' });
    expect(await reopen(handle, row('a'), null, true)).toHaveProperty('file');
    expect(await reopen(handle, row('a', { size: 9 }), null, false)).toEqual({ state: 'lost' });
    expect(await reopen(undefined, row('a'), null, true)).toEqual({ state: 'lost' });
    const gone: Handle = { getFile: () => Promise.reject(new DOMException('gone', 'NotFoundError')) };
    expect(await reopen(gone, row('a'), null, true)).toEqual({ state: 'lost' });
  });
});

describe('the queue in the database', () => {
  let db: DriveDb;
  beforeEach(() => (db = new DriveDb(crypto.randomUUID())));

  it('keeps small files whole and large ones by name', async () => {
    const keep = new Keep(db);
    await keep.add([
      { row: row('small'), bytes: { file: file('abcd') } },
      { row: row('large', { size: 900_000_000 }), bytes: { file: file('abcd') } },
    ]);
    expect((await db.uploads.get('small'))?.file).toBeDefined();
    expect((await db.uploads.get('large'))?.file).toBeUndefined();
    expect(await keep.survives(['small'])).toBe(true);
    expect(await keep.survives(['small', 'large'])).toBe(false);
  });

  it('takes over what a tab that is gone has left', async () => {
    const keep = new Keep(db);
    await keep.add([{ row: row('mine'), bytes: { file: file('abcd') } }]);
    await db.uploads.add({ ...row('theirs'), tab: 'gone', print: null });
    // This tab's own are told too: whoever signs in again in it has none of them in memory.
    expect((await keep.adopt()).map((one) => one.id)).toEqual(['mine', 'theirs']);
    expect(await keep.adopt()).toHaveLength(2);
  });

  it('forgets what is done and what was cancelled', async () => {
    const keep = new Keep(db);
    await keep.add(['a', 'b', 'c'].map((id) => ({ row: row(id), bytes: { file: file('abcd') } })));
    await keep.update([row('a', { state: 'done' })]);
    await keep.forget(['b']);
    await keep.update([row('c', { state: 'paused', sent: 2, url: '/api/v1/uploads/upl_1' })]);
    expect(await db.uploads.toArray()).toMatchObject([
      { id: 'c', state: 'paused', sent: 2, url: '/api/v1/uploads/upl_1' },
    ]);
    // A word about an upload that is over does not bring it back.
    await keep.update([row('b', { sent: 3 })]);
    expect(await db.uploads.count()).toBe(1);
  });
});

it('shows a dropped folder as one line, opened as one line and its files', () => {
  const group = { id: 'g', name: 'Photos' };
  const rows = [row('a', { group }), row('x'), row('b', { group })];
  const shape = (opened: string[]) =>
    linesOf(rows, new Set(opened)).map((line) =>
      'rows' in line ? `${line.group.name} ${line.rows.length}` : line.name,
    );
  expect(shape([])).toEqual(['Photos 2', 'x']);
  expect(shape(['g'])).toEqual(['Photos 2', 'a', 'b', 'x']);
});
