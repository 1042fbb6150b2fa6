// What people say of entries and write into them, without a connection and with others at work: at once here, once there,
// and never one over the other without a word.
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { DriveDb, type Entry, type Sent } from '@/data/db';
import type { Drive } from '@/data/drive';
import * as edits from '@/data/edits';
import { pullStars } from '@/data/stars';
import { dropMine, joinBoth, keepBoth, keepMine, type Conflict } from '@/data/outbox/conflicts';
import { enqueue } from '@/data/outbox/enqueue';
import { isConflict, newEntryId, newOp, type Op, type OpInput } from '@/data/outbox/ops';
import { drain } from '@/data/outbox/runner';
import type { Note } from '@/data/outbox/send';
import { textOf, theirText, waitingText } from '@/data/outbox/texts';
import { describeOp } from '@/data/outbox/words';
import { children, item, starred } from '@/data/read';
import { putEntries } from '@/data/sync/store';
import { DraftKeeper } from '@/features/drive/quicklook/draft';
import { otherWay } from '@/features/review/otherWay';
import { diffLines, folded } from '@/lib/diff';

const at = '2026-11-21T05:00:00.000000Z';
const file = (id: string, name: string, revision = 1, more: Partial<Entry> = {}): Entry => ({
  id,
  space_id: 'spc_team',
  parent_id: 'ent_root',
  name,
  kind: 'file',
  revision,
  created_at: at,
  modified_at: at,
  ...more,
});
const tag = {
  id: 'tag_1',
  space_id: 'spc_team',
  name: 'Urgent',
  colour: 'red',
  merged_ids: ['tag_0'],
} as unknown as Parameters<typeof edits.setTag>[1];

interface Call {
  line: string;
  text: string;
  ifMatch: string | null;
  operation: string | null;
}
type Answer = { status: number; body?: unknown; text?: string } | 'offline';

let db: DriveDb;
let drive: Drive;
let calls: Call[];
let notes: Note[];
let answer: (call: Call) => Answer;
const problem = (status: number, code: string): Answer => ({
  status,
  body: { status, code, title: code, detail: code },
});

beforeEach(() => {
  db = new DriveDb(crypto.randomUUID());
  calls = [];
  notes = [];
  drive = {
    db,
    sync: { kick: () => undefined },
    queue: (inputs: OpInput[]) => enqueue(db, inputs),
  } as unknown as Drive;
  vi.stubGlobal('fetch', async (request: Request) => {
    const call: Call = {
      line: `${request.method} ${new URL(request.url).pathname.replace('/api/v1', '')}`,
      text: await request.text(),
      ifMatch: request.headers.get('if-match'),
      operation: request.headers.get('operation-id'),
    };
    calls.push(call);
    const result = answer(call);
    if (result === 'offline') throw new TypeError('failed to fetch');
    const body = result.text ?? (result.body === undefined ? null : JSON.stringify(result.body));
    return new Response(body, { status: result.status, headers: { 'content-type': 'application/json' } });
  });
});

const run = () => drain(db, (note) => notes.push(note));
const ops = () => db.ops.orderBy('seq').toArray();
const conflicts = async () => (await ops()).filter(isConflict) as Conflict[];
/** The server has nothing to say yet, and then the connection is back. */
async function back(to: typeof answer): Promise<void> {
  answer = () => 'offline';
  expect((await run()).state).toBe('later');
  calls = [];
  answer = to;
}

describe('tags and favourites', () => {
  it('are on at once, go as one call under one id however often it is sent, and are what the server says afterwards', async () => {
    await putEntries(db, [file('ent_a', 'a.txt'), file('ent_b', 'b.txt', 1, { tags: ['tag_1'] })]);
    // What has it already is left out.
    expect(await edits.setTag(drive, tag, ['ent_a', 'ent_b'], true)).toEqual(['ent_a']);
    expect((await item(db, 'ent_a'))?.tags).toEqual(['tag_1']);
    expect((await item(db, 'ent_a'))?.pending).toBe(true);
    await back(() => ({ status: 200, body: { items: [file('ent_a', 'a.txt', 2, { tags: ['tag_9', 'tag_1'] })] } }));
    const [op] = await ops();
    expect((await run()).state).toBe('empty');
    expect(calls.map((call) => [call.line, JSON.parse(call.text), call.operation])).toEqual([
      ['POST /tags/tag_1/entries', { put_on: ['ent_a'], take_off: [] }, op!.id],
    ]);
    // What somebody else put on meanwhile stays.
    expect((await item(db, 'ent_a'))?.tags).toEqual(['tag_9', 'tag_1']);
    expect((await item(db, 'ent_a'))?.pending).toBeUndefined();
  });

  it('come off with the tags that were merged into them, and can be put on what the server has not heard of', async () => {
    await putEntries(db, [file('ent_a', 'a.txt', 1, { tags: ['tag_0', 'tag_5'] })]);
    await edits.setTag(drive, tag, ['ent_a'], false);
    expect((await item(db, 'ent_a'))?.tags).toEqual(['tag_5']);
    const folder = newEntryId();
    await enqueue(db, [{ kind: 'create-folder', temp: folder, space: 'spc_team', parent: 'ent_root', name: 'New' }]);
    await edits.setTag(drive, tag, [folder], true);
    expect((await item(db, folder))?.tags).toEqual(['tag_1']);
  });

  it('are put on each by itself where one of many is gone, which is told', async () => {
    await putEntries(db, [file('ent_a', 'a.txt'), file('ent_b', 'b.txt')]);
    await edits.setTag(drive, tag, ['ent_a', 'ent_b'], true);
    answer = ({ line }) =>
      line === 'POST /tags/tag_1/entries'
        ? problem(404, 'not-found')
        : line === 'POST /bulk'
          ? {
              status: 200,
              body: {
                items: [
                  { id: 'ent_a', outcome: 'done', entry: null, error: null },
                  {
                    id: 'ent_b',
                    outcome: 'refused',
                    entry: null,
                    error: { status: 404, code: 'not-found', title: '' },
                  },
                ],
              },
            }
          : { status: 200, body: { ...file('ent_b', 'b.txt', 3), trashed: true } };
    expect((await run()).state).toBe('empty');
    expect(notes).toEqual([{ code: 'gone', name: 'b.txt', was: file('ent_b', 'b.txt', 3) }]);
  });

  it('wait for a person where the tag itself is gone', async () => {
    await putEntries(db, [file('ent_a', 'a.txt')]);
    await edits.setTag(drive, tag, ['ent_a'], true);
    const refused = { status: 404, code: 'not-found', title: 'gone' };
    answer = ({ line }) =>
      line.startsWith('GET')
        ? { status: 200, body: file('ent_a', 'a.txt') }
        : line === 'POST /bulk'
          ? { status: 200, body: { items: [{ id: 'ent_a', outcome: 'refused', entry: null, error: refused }] } }
          : problem(404, 'not-found');
    await run();
    expect((await ops()).map((op) => [op.state, op.failure?.code])).toEqual([['parked', 'not-found']]);
    expect((await item(db, 'ent_a'))?.tags).toBeUndefined();
  });

  it('show a star at once, and an older answer does not take it away', async () => {
    await putEntries(db, [file('ent_a', 'a.txt')]);
    expect(await edits.setStar(drive, ['ent_a'], true)).toEqual(['ent_a']);
    expect(await edits.setStar(drive, ['ent_a'], true)).toEqual([]);
    expect([...(await starred(db))]).toEqual(['ent_a']);
    let asked = 0;
    answer = ({ line }) => {
      if (line !== 'GET /favourites') return { status: 200, body: { items: [{ id: 'ent_a', error: null }] } };
      asked += 1;
      // The first answer was made before the star got there.
      return { status: 200, body: { items: asked === 1 ? [] : [file('ent_a', 'a.txt')] } };
    };
    const pulled = pullStars(db);
    await run();
    await pulled;
    expect([...(await starred(db))]).toEqual(['ent_a']);
    expect(await db.ops.count()).toBe(0);
  });
});

describe('a description', () => {
  const seen = file('ent_a', 'a.txt', 4, {
    description: 'old',
    properties: { Paid: { type: 'boolean', value: false } },
  });
  const say = (description: string) => edits.describe(drive, 'ent_a', edits.seenOf(seen), { description });

  it('is there at once, and stays beside what others did to something else', async () => {
    await putEntries(db, [seen]);
    await say('mine');
    await edits.describe(drive, 'ent_a', edits.seenOf((await item(db, 'ent_a'))!), {
      properties: { Due: { type: 'date', value: '2027-01-01' }, Paid: null },
    });
    expect(await item(db, 'ent_a')).toMatchObject({
      description: 'mine',
      properties: { Due: { value: '2027-01-01' } },
    });
    expect((await item(db, 'ent_a'))?.properties?.Paid).toBeUndefined();
    let now = file('ent_a', 'renamed.txt', 7, { description: 'old', properties: seen.properties });
    await back(({ line, ifMatch, text }) => {
      if (line.startsWith('GET')) return { status: 200, body: now };
      if (ifMatch !== `"${now.revision}"`) return problem(412, 'precondition-failed');
      now = { ...now, ...(JSON.parse(text) as object), revision: now.revision + 1 };
      return { status: 200, body: now };
    });
    expect((await run()).state).toBe('empty');
    expect(now).toMatchObject({ name: 'renamed.txt', description: 'mine' });
    expect(await conflicts()).toEqual([]);
  });

  it('that somebody else changed too becomes a question, even after a change of one’s own that went through', async () => {
    await putEntries(db, [seen]);
    await enqueue(db, [
      { kind: 'update', entry: 'ent_a', name: 'b.txt', before: { name: 'a.txt', parent: 'ent_root', revision: 4 } },
    ]);
    await say('mine');
    let now = { ...seen, description: 'theirs', revision: 5 };
    answer = ({ line, ifMatch, text }) => {
      if (line.startsWith('GET')) return { status: 200, body: now };
      if (ifMatch !== `"${now.revision}"`) return problem(412, 'precondition-failed');
      now = { ...now, ...(JSON.parse(text) as object), revision: now.revision + 1 };
      return { status: 200, body: now };
    };
    expect((await run()).state).toBe('empty');
    expect(now).toMatchObject({ name: 'b.txt', description: 'theirs' });
    const [op] = await conflicts();
    expect(op?.failure?.theirs).toMatchObject({ description: 'theirs', revision: 6 });
    expect(await item(db, 'ent_a')).toMatchObject({ description: 'theirs', conflict: true });
    // Both in one, and then nothing waits.
    expect(op?.kind).toBe('describe');
    if (op?.kind === 'describe') await joinBoth(db, op);
    expect((await run()).state).toBe('empty');
    expect(now.description).toBe('theirs\n\nmine');
    expect(await db.ops.count()).toBe(0);
  });

  it('that was changed twice here is one question, about the last of it', async () => {
    await putEntries(db, [seen]);
    await say('first');
    await edits.describe(drive, 'ent_a', edits.seenOf((await item(db, 'ent_a'))!), { description: 'second' });
    const now = { ...seen, description: 'theirs', revision: 5 };
    answer = ({ line }) => (line.startsWith('GET') ? { status: 200, body: now } : problem(412, 'precondition-failed'));
    await run();
    const left = await conflicts();
    expect(left.map((op) => op.kind === 'describe' && [op.before.description, op.description])).toEqual([
      ['old', 'second'],
    ]);
  });
});

describe('a text', () => {
  const read = file('ent_a', 'note.md', 3, {
    size: 3,
    version_id: 'ver_1',
    etag: '"one"',
    content_type: 'text/markdown',
  });
  const base = { version: 'ver_1', etag: '"one"' };
  const newer = { ...read, revision: 4, version_id: 'ver_2', etag: '"two"', size: 6 };
  const write = (text: string, more: { after?: string } = {}, id?: string) =>
    edits.writeText(drive, read, text, { ...base, ...more }, id);
  /** Somebody has written `theirs` since. */
  const theirs = ({ line, ifMatch, text }: Call): Answer =>
    line === 'GET /entries/ent_a'
      ? { status: 200, body: newer }
      : line === 'GET /files/ent_a'
        ? { status: 200, text: 'theirs' }
        : line.startsWith('POST /files')
          ? { status: 201, body: file('ent_copy', 'copy', 1, { size: text.length }) }
          : ifMatch === '"two"'
            ? { status: 200, body: { ...newer, revision: 5, version_id: 'ver_3', etag: '"three"' } }
            : problem(412, 'precondition-failed');

  it('is the newest at once, goes up on what was read, and the next one goes on top of it', async () => {
    await putEntries(db, [read]);
    await write('mine', {}, 'op-1');
    expect(await waitingText(db, 'ent_a')).toEqual({
      op: 'op-1',
      text: 'mine',
      version: read.version_id,
      etag: read.etag,
    });
    expect(await item(db, 'ent_a')).toMatchObject({ size: 4, version_id: 'op-1', pending: true });
    await write('mine again', { after: 'op-1' });
    await back(({ ifMatch, text }) => ({
      status: 200,
      body: { ...read, revision: 9, size: text.length, version_id: `after ${ifMatch}`, etag: `"${text}"` },
    }));
    expect((await run()).state).toBe('empty');
    expect(calls.map((call) => [call.line, call.ifMatch, call.text])).toEqual([
      ['PUT /files/ent_a', '"one"', 'mine'],
      ['PUT /files/ent_a', '"mine"', 'mine again'],
    ]);
    expect(calls[0]?.operation).toBe('op-1');
    expect(await waitingText(db, 'ent_a')).toBeNull();
    // Who began to type on what waited then is not met by their own words.
    const last = (await db.texts.toArray()).find((row) => row.id.startsWith('became'));
    const after = (JSON.parse(last!.text) as { op: string }).op;
    await write('a third', { after });
    expect((await ops()).map((op) => op.kind === 'write' && [op.base.etag, op.after])).toEqual([
      ['"mine again"', undefined],
    ]);
  });

  it('that met a newer one is kept with it, and nothing goes until it is said what is to be', async () => {
    await putEntries(db, [read]);
    await write('mine');
    answer = theirs;
    expect((await run()).state).toBe('empty');
    const [op] = await conflicts();
    expect(op?.failure?.theirs).toMatchObject({ version: 'ver_2', etag: '"two"' });
    expect(await textOf(db, op!.id)).toBe('mine');
    expect(await textOf(db, theirText(op!.id))).toBe('theirs');
    expect(await item(db, 'ent_a')).toMatchObject({ version_id: 'ver_2', conflict: true });
    expect(describeOp(op!)).toBe('Edit the text of “note.md”');
    calls = [];
    await run();
    expect(calls).toEqual([]);

    const back = await dropMine(db, op!);
    expect([await db.ops.count(), await db.texts.count()]).toEqual([0, 0]);
    await back();
    expect((await conflicts()).map((one) => one.id)).toEqual([op!.id]);
    expect(await textOf(db, op!.id)).toBe('mine');

    await keepMine(db, op!);
    expect((await run()).state).toBe('empty');
    expect(calls.map((call) => [call.line, call.ifMatch, call.text])).toEqual([['PUT /files/ent_a', '"two"', 'mine']]);
    expect(await item(db, 'ent_a')).toMatchObject({ version_id: 'ver_3' });
    expect(await db.ops.count()).toBe(0);
  });

  it('can stand beside the other one under a name that says why', async () => {
    await putEntries(db, [read]);
    await write('mine');
    answer = theirs;
    await run();
    const [op] = await conflicts();
    if (op?.kind !== 'write') throw new Error('no conflict');
    calls = [];
    await keepBoth(db, op, 'conflict, today');
    expect((await children(db, 'ent_root')).map((one) => one.name).sort()).toEqual([
      'note (conflict, today).md',
      'note.md',
    ]);
    await run();
    expect(calls.map((call) => [call.line, call.text])).toEqual([['POST /files', 'mine']]);
    expect(await db.ops.count()).toBe(0);
    expect(await textOf(db, op.id)).toBeNull();
  });

  it('is no conflict with itself, whose answer was lost', async () => {
    await putEntries(db, [read]);
    await write('theirs');
    answer = theirs;
    await run();
    expect(await conflicts()).toEqual([]);
    expect(await db.ops.count()).toBe(0);
  });

  it('is one question, however often it was saved on the way', async () => {
    await putEntries(db, [read]);
    await write('one', {}, 'op-1');
    await write('two', { after: 'op-1' }, 'op-2');
    answer = theirs;
    await run();
    expect((await conflicts()).map((op) => op.id)).toEqual(['op-2']);
    // And one more that was typed while the question stood.
    await write('three', { after: 'op-2' }, 'op-3');
    await run();
    expect((await conflicts()).map((op) => op.id)).toEqual(['op-3']);
    expect(await textOf(db, 'op-3')).toBe('three');
  });

  it('outlives the file it was for', async () => {
    await putEntries(db, [read]);
    await write('mine');
    answer = ({ line }) =>
      line === 'GET /entries/ent_a'
        ? { status: 200, body: { ...read, trashed: true } }
        : line === 'POST /files'
          ? { status: 201, body: file('ent_new', 'note.md') }
          : problem(409, 'in-trash');
    await run();
    const [op] = await conflicts();
    expect(op?.failure?.theirs?.gone).toBe('trash');
    calls = [];
    await keepMine(db, op!);
    await run();
    expect(calls.map((call) => [call.line, call.text])).toEqual([['POST /files', 'mine']]);
  });

  it('that was deleted after it was edited goes, as that was what was seen', async () => {
    await putEntries(db, [read]);
    await write('mine', {}, 'op-1');
    const shown = (await item(db, 'ent_a'))!;
    await enqueue(db, [
      {
        kind: 'delete',
        entry: 'ent_a',
        before: { name: shown.name, parent: 'ent_root', revision: shown.revision, version: shown.version_id },
      },
    ]);
    answer = ({ line }) => (line.startsWith('PUT') ? { status: 200, body: newer } : problem(503, 'busy'));
    await run();
    const [left] = await ops();
    expect(left?.kind === 'delete' && left.before).toMatchObject({ version: 'ver_2', revision: 4 });
  });
});

it('keeps what is typed as it is typed, and nothing after its end', async () => {
  const from = { text: 'old', crlf: false, version: 'ver_1', etag: '"one"' };
  const file = { id: 'ent_a', name: 'a.txt' };
  const drafts = new DraftKeeper(db, file);
  for (const text of ['n', 'ne', 'new']) drafts.keep(text, from);
  await vi.waitFor(async () => expect((await new DraftKeeper(db, file).read())?.text).toBe('new'));
  expect((await drafts.read())?.from).toEqual(from);
  drafts.keep('newer', from);
  await drafts.end();
  expect(await drafts.read()).toBeUndefined();
});

describe('what is gone', () => {
  const op: Op = newOp({
    kind: 'update',
    entry: 'ent_d',
    name: 'Mine',
    before: { name: 'Team folder', parent: 'ent_root', revision: 1 },
  });
  const was = file('ent_d', 'Team folder', 6, { kind: 'folder' });

  it('into the trash is told as what it is: a folder, in the space it is in', async () => {
    await putEntries(db, [was]);
    await db.ops.add(op);
    answer = ({ line }) =>
      line.startsWith('GET') ? { status: 200, body: { ...was, trashed: true } } : problem(409, 'in-trash');
    await run();
    expect(notes).toEqual([{ code: 'gone', name: 'Mine', was }]);
    expect(await item(db, 'ent_d')).toBeNull();
  });

  it('comes back as that, with the change that had found nothing', async () => {
    const sent: Sent = { op, entry: null, note: { code: 'gone', name: 'Mine', was } };
    expect(await otherWay(drive, sent)?.run()).toBe(true);
    expect((await ops()).map((one) => [one.kind, one.kind === 'restore' && one.was])).toEqual([
      ['restore', was],
      ['update', false],
    ]);
    expect(await item(db, 'ent_d')).toMatchObject({ name: 'Mine', kind: 'folder', space_id: 'spc_team' });
    // For good is for good: there is nothing to offer.
    expect(otherWay(drive, { ...sent, note: { code: 'gone', name: 'Mine' } })).toBeNull();
  });

  it('is not said to be done', async () => {
    const note = { code: 'renamed-too', name: 'Mine', theirs: 'Theirs' } as const;
    expect(await otherWay(drive, { op, entry: was, note })?.run()).toBe(false);
  });
});

describe('two texts side by side', () => {
  it('share what both have, and stand beside each other where they differ', () => {
    expect(diffLines('a\nb\nc\n', 'a\nx\ny\nc\n')).toEqual([
      { mine: 'a', theirs: 'a', same: true },
      { mine: 'b', theirs: 'x', same: false },
      { mine: null, theirs: 'y', same: false },
      { mine: 'c', theirs: 'c', same: true },
    ]);
    expect(diffLines('', 'a')).toEqual([{ mine: null, theirs: 'a', same: false }]);
    expect(diffLines('one\r\n', 'one\n')).toEqual([{ mine: 'one', theirs: 'one', same: true }]);
  });

  it('leave out the long runs that are the same', () => {
    const long = Array.from({ length: 30 }, (_, at) => `line ${at}`).join('\n');
    const parts = folded(diffLines(`${long}\nmine`, `${long}\ntheirs`));
    expect(parts[0]).toEqual({ left: 27 });
    expect(parts).toHaveLength(5);
    const many = (word: string) => Array.from({ length: 3_000 }, (_, at) => `${word} ${at}`).join('\n');
    expect(diffLines(many('a'), many('b'))).toHaveLength(3_000);
  });
});
