// The offline core against a server played by a function: order, ids that become real, conflicts, and no silent loss.
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { DriveDb, type Entry } from '@/data/db';
import { enqueue } from '@/data/outbox/enqueue';
import { newEntryId, newOp, type OpInput } from '@/data/outbox/ops';
import { drain } from '@/data/outbox/runner';
import type { Note } from '@/data/outbox/send';
import { children, item } from '@/data/read';
import { applyChanges } from '@/data/sync/pull';
import { putEntries } from '@/data/sync/store';

const at = '2026-11-21T05:00:00.000000Z';
const root: Entry = {
  id: 'ent_root',
  space_id: 'spc_1',
  parent_id: null,
  name: '',
  kind: 'folder',
  revision: 1,
  created_at: at,
  modified_at: at,
};
const entry = (
  id: string,
  name: string,
  parent = 'ent_root',
  revision = 1,
  kind: 'folder' | 'file' = 'file',
): Entry => ({
  id,
  space_id: 'spc_1',
  parent_id: parent,
  name,
  kind,
  revision,
  created_at: at,
  modified_at: at,
});

type Answer = { status: number; body?: unknown } | 'offline';
interface Call {
  line: string;
  body: Record<string, unknown> | null;
  ifMatch: string | null;
  operation: string | null;
}

let db: DriveDb;
let calls: Call[];
let answer: (call: Call) => Answer;
let notes: Note[];
const problem = (status: number, code: string): Answer => ({
  status,
  body: { status, code, title: code, detail: code },
});

beforeEach(async () => {
  db = new DriveDb(crypto.randomUUID());
  await putEntries(db, [root]);
  calls = [];
  notes = [];
  vi.stubGlobal('fetch', async (request: Request) => {
    const text = await request.text();
    const call: Call = {
      line: `${request.method} ${new URL(request.url).pathname.replace('/api/v1', '')}`,
      body: text ? (JSON.parse(text) as Record<string, unknown>) : null,
      ifMatch: request.headers.get('if-match'),
      operation: request.headers.get('operation-id'),
    };
    calls.push(call);
    const result = answer(call);
    if (result === 'offline') throw new TypeError('failed to fetch');
    return new Response(result.body === undefined ? null : JSON.stringify(result.body), {
      status: result.status,
      headers: { 'content-type': 'application/json' },
    });
  });
});

const add = (...inputs: OpInput[]) => db.ops.bulkAdd(inputs.map(newOp));
const run = () => drain(db, (note) => notes.push(note));
const names = async (folder = 'ent_root') => (await children(db, folder)).map((one) => one.name).sort();
const before = (one: Entry) => ({ name: one.name, parent: one.parent_id ?? '', revision: one.revision });

it('makes ids that the server takes: UUIDs of version 7, no two alike, in the order of time', () => {
  const ids = [1_700_000_000_000, 1_800_000_000_001, 1_800_000_000_001].map((now) => newEntryId(now));
  for (const id of ids) expect(id).toMatch(/^ent_[0-9a-f]{12}7[0-9a-f]{3}[89ab][0-9a-f]{15}$/);
  expect(parseInt(ids[1]!.slice(4, 16), 16)).toBe(1_800_000_000_001);
  expect(new Set(ids).size).toBe(3);
  expect(ids[0]! < ids[1]!).toBe(true);
});

it('shows a chain made without connection, then sends it in order, under the ids it was made with', async () => {
  const folder = newEntryId();
  const file = entry('ent_f', 'a.txt');
  await putEntries(db, [file]);
  await add(
    { kind: 'create-folder', temp: folder, space: 'spc_1', parent: 'ent_root', name: 'New folder' },
    { kind: 'update', entry: folder, name: 'Trip', before: { name: 'New folder', parent: 'ent_root', revision: 0 } },
    { kind: 'update', entry: 'ent_f', parent: folder, before: before(file) },
  );
  expect(await names()).toEqual(['Trip']);
  expect(await names(folder)).toEqual(['a.txt']);

  answer = () => 'offline';
  expect((await run()).state).toBe('later');
  expect(await db.ops.count()).toBe(3);
  await db.ops.toCollection().modify({ notBefore: 0 });

  answer = ({ line, body }) =>
    line === 'GET /folders/ent_root/children'
      ? { status: 200, body: { items: [] } }
      : line === 'POST /folders'
        ? { status: 201, body: entry(String(body?.id), String(body?.name), 'ent_root', 1, 'folder') }
        : line === `PATCH /entries/${folder}`
          ? { status: 200, body: entry(folder, 'Trip', 'ent_root', 2, 'folder') }
          : { status: 200, body: entry('ent_f', 'a.txt', folder, 2) };
  expect((await run()).state).toBe('empty');
  expect(calls.slice(1).map((call) => [call.line, call.body])).toEqual([
    ['POST /folders', { id: folder, name: 'New folder', parent_id: 'ent_root' }],
    [`PATCH /entries/${folder}`, { name: 'Trip' }],
    ['PATCH /entries/ent_f', { parent_id: folder }],
  ]);
  // The rename was sent as what it was based on then: the folder as it had just been made.
  expect(calls[2]?.ifMatch).toBe('"1"');
  expect(await names(folder)).toEqual(['a.txt']);
});

it('copies what was just made, and puts things into a folder in one that the server has not heard of', async () => {
  const outer = newEntryId();
  const inner = newEntryId();
  const copy = newEntryId();
  const folderIn = (temp: string, parent: string, name: string): OpInput => ({
    kind: 'create-folder',
    temp,
    space: 'spc_1',
    parent,
    name,
  });
  await add(folderIn(outer, 'ent_root', 'Outer'), folderIn(inner, outer, 'Inner'), {
    kind: 'copy',
    entry: inner,
    temp: copy,
    space: 'spc_1',
    parent: outer,
    name: 'Inner copy',
    like: { kind: 'folder' },
  });
  expect(await names(outer)).toEqual(['Inner', 'Inner copy']);
  answer = ({ line, body }) =>
    line.startsWith('GET')
      ? { status: 200, body: { items: [] } }
      : { status: 201, body: entry(String(body?.id), String(body?.name), String(body?.parent_id), 1, 'folder') };
  expect((await run()).state).toBe('empty');
  expect(calls.filter((call) => call.line.startsWith('POST')).map((call) => [call.line, call.body?.id])).toEqual([
    ['POST /folders', outer],
    ['POST /folders', inner],
    [`POST /entries/${inner}/copy`, copy],
  ]);
  expect(await names(outer)).toEqual(['Inner', 'Inner copy']);
});

it('finds what a folder was merged with under the id it was made with', async () => {
  const folder = newEntryId();
  await add({ kind: 'create-folder', temp: folder, space: 'spc_1', parent: 'ent_root', name: 'New folder' });
  answer = ({ line, body }) =>
    line === 'POST /folders'
      ? problem(409, 'name-taken')
      : line.startsWith('GET')
        ? { status: 200, body: { items: [entry('ent_real', 'New folder', 'ent_root', 4, 'folder')] } }
        : { status: 200, body: entry('ent_real', String(body?.name), 'ent_root', 5, 'folder') };
  await run();
  expect(notes).toEqual([{ code: 'merged', name: 'New folder' }]);
  expect((await item(db, folder))?.id).toBe('ent_real');
  // The field was open while the answer came: its rename still speaks of the id that it had.
  await enqueue(db, [
    { kind: 'update', entry: folder, name: 'Trip', before: { name: 'New folder', parent: 'ent_root', revision: 0 } },
  ]);
  expect(await names()).toEqual(['Trip']);
  expect((await run()).state).toBe('empty');
  expect(calls.at(-1)).toMatchObject({ line: 'PATCH /entries/ent_real', ifMatch: '"4"' });
  expect(await db.ops.count()).toBe(0);
});

it('bases a later change on the answer to an earlier one', async () => {
  const file = entry('ent_f', 'a.txt');
  await putEntries(db, [file]);
  await add(
    { kind: 'update', entry: 'ent_f', name: 'b.txt', before: before(file) },
    { kind: 'update', entry: 'ent_f', name: 'c.txt', before: { ...before(file), name: 'b.txt' } },
  );
  answer = ({ body }) => ({
    status: 200,
    body: entry('ent_f', String(body?.name), 'ent_root', body?.name === 'b.txt' ? 2 : 3),
  });
  await run();
  expect(calls.map((call) => call.ifMatch)).toEqual(['"1"', '"2"']);
  expect(await names()).toEqual(['c.txt']);
});

describe('when somebody else was there first', () => {
  it('renames on top of new bytes without a word', async () => {
    const file = entry('ent_f', 'a.txt');
    await putEntries(db, [file]);
    await add({ kind: 'update', entry: 'ent_f', name: 'b.txt', before: before(file) });
    answer = ({ line, ifMatch }) =>
      line.startsWith('GET')
        ? { status: 200, body: entry('ent_f', 'a.txt', 'ent_root', 5) }
        : ifMatch === '"5"'
          ? { status: 200, body: entry('ent_f', 'b.txt', 'ent_root', 6) }
          : problem(412, 'precondition-failed');
    expect((await run()).state).toBe('empty');
    expect(notes).toEqual([]);
    expect(await names()).toEqual(['b.txt']);
  });

  it('lets the later of two renames win and says so', async () => {
    const file = entry('ent_f', 'a.txt');
    await putEntries(db, [file]);
    await add({ kind: 'update', entry: 'ent_f', name: 'mine.txt', before: before(file) });
    answer = ({ line, ifMatch }) =>
      line.startsWith('GET')
        ? { status: 200, body: entry('ent_f', 'theirs.txt', 'ent_root', 2) }
        : ifMatch === '"2"'
          ? { status: 200, body: entry('ent_f', 'mine.txt', 'ent_root', 3) }
          : problem(412, 'precondition-failed');
    await run();
    expect(notes).toEqual([{ code: 'renamed-too', name: 'mine.txt', theirs: 'theirs.txt' }]);
  });

  it('takes a lost answer for what it was', async () => {
    const file = entry('ent_f', 'a.txt');
    await putEntries(db, [file]);
    await add({ kind: 'update', entry: 'ent_f', name: 'b.txt', before: before(file) });
    answer = ({ line }) =>
      line.startsWith('GET')
        ? { status: 200, body: entry('ent_f', 'b.txt', 'ent_root', 2) }
        : problem(412, 'precondition-failed');
    await run();
    expect(calls.filter((call) => call.line.startsWith('PATCH'))).toHaveLength(1);
    expect(notes).toEqual([]);
  });

  it('keeps what was changed since instead of deleting it', async () => {
    const file = entry('ent_f', 'a.txt');
    await putEntries(db, [file]);
    await add({ kind: 'delete', entry: 'ent_f', before: before(file) });
    expect(await names()).toEqual([]);
    answer = ({ line }) =>
      line.startsWith('GET')
        ? { status: 200, body: entry('ent_f', 'a.txt', 'ent_root', 2) }
        : problem(412, 'precondition-failed');
    await run();
    expect(notes).toEqual([{ code: 'kept-edited', name: 'a.txt' }]);
    expect(await names()).toEqual(['a.txt']);
  });

  it('deletes what is as it was seen, though its revision rose with a change of its own', async () => {
    await putEntries(db, [entry('ent_d', 'New', 'ent_root', 2, 'folder')]);
    await add({ kind: 'delete', entry: 'ent_d', before: { name: 'New', parent: 'ent_root', revision: 2 } });
    answer = ({ line, ifMatch }) =>
      line.startsWith('GET')
        ? { status: 200, body: entry('ent_d', 'New', 'ent_root', 3, 'folder') }
        : ifMatch === '"3"'
          ? { status: 204 }
          : problem(412, 'precondition-failed');
    expect((await run()).state).toBe('empty');
    expect(notes).toEqual([]);
    expect(await names()).toEqual([]);
  });

  it('numbers a name that was taken meanwhile', async () => {
    const file = entry('ent_f', 'a.txt');
    await putEntries(db, [file]);
    await add({ kind: 'update', entry: 'ent_f', name: 'b.txt', before: before(file) });
    answer = ({ line, body }) =>
      line.startsWith('GET')
        ? { status: 200, body: file }
        : body?.name === 'b (2).txt'
          ? { status: 200, body: entry('ent_f', 'b (2).txt', 'ent_root', 2) }
          : problem(409, 'name-taken');
    await run();
    expect(notes).toEqual([{ code: 'number-added', name: 'b (2).txt', wanted: 'b.txt' }]);
    expect(await names()).toEqual(['b (2).txt']);
  });
});

it('sends an operation under one id, however often, so that a lost answer is no conflict with itself', async () => {
  const file = entry('ent_f', 'a.txt');
  await putEntries(db, [file]);
  const inputs: OpInput[] = [
    { kind: 'create-folder', temp: newEntryId(), space: 'spc_1', parent: 'ent_root', name: 'New' },
    {
      kind: 'copy',
      entry: 'ent_f',
      temp: newEntryId(),
      space: 'spc_1',
      parent: 'ent_root',
      name: 'b.txt',
      like: { kind: 'file' },
    },
    { kind: 'update', entry: 'ent_f', name: 'c.txt', before: before(file) },
    { kind: 'delete', entry: 'ent_f', before: before(file) },
    { kind: 'restore', entry: 'ent_f', was: file },
  ];
  await add(...inputs);
  const ids = (await db.ops.toArray()).map((op) => op.id);
  // The server does each at the first call, and the answer is lost; the second is answered as the first was.
  const done = new Set<string>();
  answer = ({ line, body, operation }) => {
    if (!operation || !done.has(operation)) {
      done.add(operation ?? '');
      return 'offline';
    }
    return line.startsWith('DELETE')
      ? { status: 204 }
      : {
          status: 200,
          body: entry(line.startsWith('POST /folders') ? 'ent_n' : 'ent_f', String(body?.name), 'ent_root', 2),
        };
  };
  for (let round = 0; round < inputs.length; round += 1) expect((await run()).state).toBe('later');
  expect((await run()).state).toBe('empty');
  expect(calls.map((call) => call.operation)).toEqual(ids.flatMap((id) => [id, id]));
  expect(notes).toEqual([]);
});

it('parks a refusal with what rests on it, shows the true state, and loses neither', async () => {
  const folder = newEntryId();
  await add(
    { kind: 'create-folder', temp: folder, space: 'spc_1', parent: 'ent_root', name: 'No room' },
    { kind: 'create-folder', temp: newEntryId(), space: 'spc_1', parent: folder, name: 'Inside' },
  );
  answer = () => problem(507, 'quota-exceeded');
  // 507 is the server's word about this account, not a passing weakness.
  const result = await run();
  expect(result.state).toBe('empty');
  expect((await db.ops.toArray()).map((op) => [op.state, op.failure?.code])).toEqual([
    ['parked', 'quota-exceeded'],
    ['parked', 'depends'],
  ]);
  expect(await names()).toEqual([]);
});

describe('the trash', () => {
  it('shows what is taken back at once, and sends both in order', async () => {
    const file = entry('ent_f', 'a.txt');
    await putEntries(db, [file]);
    await add({ kind: 'delete', entry: 'ent_f', before: before(file) });
    expect(await names()).toEqual([]);
    await add({ kind: 'restore', entry: 'ent_f', was: file });
    expect(await names()).toEqual(['a.txt']);
    answer = ({ line }) =>
      line.startsWith('DELETE') ? { status: 204 } : { status: 200, body: entry('ent_f', 'a.txt', 'ent_root', 3) };
    expect((await run()).state).toBe('empty');
    expect(calls.map((call) => call.line)).toEqual(['DELETE /entries/ent_f', 'POST /entries/ent_f/restore']);
    expect((await item(db, 'ent_f'))?.revision).toBe(3);
  });

  it('puts what lost its folder into the root, and says so', async () => {
    const file = entry('ent_f', 'a.txt', 'ent_gone');
    await add({ kind: 'restore', entry: 'ent_f', was: file });
    answer = ({ line, body }) =>
      line === 'GET /spaces/spc_1'
        ? { status: 200, body: { id: 'spc_1', root_id: 'ent_root' } }
        : body?.parent_id === 'ent_root'
          ? { status: 200, body: entry('ent_f', 'a.txt', 'ent_root', 4) }
          : problem(409, 'original-folder-gone');
    await run();
    expect(notes).toEqual([{ code: 'restored-elsewhere', name: 'a.txt' }]);
    expect(await names()).toEqual(['a.txt']);
  });

  it('leaves alone what was never deleted, because somebody had changed it', async () => {
    await add({ kind: 'restore', entry: 'ent_f', was: entry('ent_f', 'a.txt') });
    answer = ({ line }) =>
      line.startsWith('GET')
        ? { status: 200, body: entry('ent_f', 'theirs.txt', 'ent_root', 9) }
        : problem(409, 'not-in-trash');
    expect((await run()).state).toBe('empty');
    expect(notes).toEqual([]);
    expect(await names()).toEqual(['theirs.txt']);
  });

  it('takes away what others put into it, and lists what comes back as a tree', async () => {
    const by = { actor: null, operation_id: null, undoes: null };
    await putEntries(db, [entry('ent_a', 'A', 'ent_root', 1, 'folder'), entry('ent_c', 'c.txt', 'ent_a')]);
    await applyChanges(db, [{ sequence: 1, kind: 'trashed', entry_id: 'ent_a', revision: 2, at, ...by, entry: null }]);
    expect(await db.entries.toCollection().primaryKeys()).toEqual(['ent_root']);
    answer = () => ({ status: 200, body: { items: [entry('ent_c', 'c.txt', 'ent_a')], next_cursor: null } });
    await applyChanges(db, [
      {
        sequence: 2,
        kind: 'restored',
        entry_id: 'ent_a',
        revision: 3,
        at,
        ...by,
        entry: entry('ent_a', 'A', 'ent_root', 3, 'folder'),
      },
    ]);
    expect(await names('ent_a')).toEqual(['c.txt']);
  });
});

it('removes a whole tree when the journal names only its top', async () => {
  const by = { actor: null, operation_id: null, undoes: null };
  await applyChanges(db, [
    {
      sequence: 1,
      kind: 'created',
      entry_id: 'ent_a',
      revision: 1,
      at,
      ...by,
      entry: entry('ent_a', 'A', 'ent_root', 1, 'folder'),
    },
    {
      sequence: 2,
      kind: 'created',
      entry_id: 'ent_b',
      revision: 1,
      at,
      ...by,
      entry: entry('ent_b', 'B', 'ent_a', 1, 'folder'),
    },
    {
      sequence: 3,
      kind: 'created',
      entry_id: 'ent_c',
      revision: 1,
      at,
      ...by,
      entry: entry('ent_c', 'c.txt', 'ent_b'),
    },
    {
      sequence: 4,
      kind: 'moved',
      entry_id: 'ent_c',
      revision: 2,
      at,
      ...by,
      entry: entry('ent_c', 'c.txt', 'ent_root', 2),
    },
    { sequence: 5, kind: 'deleted', entry_id: 'ent_a', revision: 2, at, ...by, entry: null },
  ]);
  expect((await db.entries.toCollection().primaryKeys()).sort()).toEqual(['ent_c', 'ent_root']);
});

it('never lets an older state replace a newer one', async () => {
  await putEntries(db, [entry('ent_f', 'new.txt', 'ent_root', 7)]);
  await putEntries(db, [entry('ent_f', 'old.txt', 'ent_root', 6)]);
  expect((await db.entries.get('ent_f'))?.name).toBe('new.txt');
});
