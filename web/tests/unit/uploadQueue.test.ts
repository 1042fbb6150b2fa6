// Small files go together, and each has its own fate: refused, asked about, paused, sent again.
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { DriveDb, type Entry } from '@/data/db';
import type { Drive } from '@/data/drive';
import { bodyOf, type Small } from '@/features/upload/batch';
import { loadBytes, loadFileBytes, loadFiles, nextLoad } from '@/features/upload/loads';
import { folderOnServer } from '@/features/upload/parent';
import { uploads } from '@/features/upload/queue';
import type { UploadRow } from '@/features/upload/rows';
import { resumeAll } from '@/features/upload/summary';

vi.mock('@/api/session', async (original) => ({
  ...(await original<object>()),
  accessToken: () => Promise.resolve('token'),
}));

interface Frame {
  path: string;
  size: number;
  on_conflict: string;
  id: string;
  text: string;
}
async function framesOf(body: Blob): Promise<Frame[]> {
  const bytes = new Uint8Array(await body.arrayBuffer());
  const words = new TextDecoder();
  const frames: Frame[] = [];
  for (let at = 0; at < bytes.length;) {
    const head = new DataView(bytes.buffer).getUint32(at);
    const header = JSON.parse(words.decode(bytes.subarray(at + 4, at + 4 + head))) as Omit<Frame, 'text'>;
    const from = at + 4 + head;
    frames.push({ ...header, text: words.decode(bytes.subarray(from, from + header.size)) });
    at = from + header.size;
  }
  return frames;
}

/** A request that is answered when the test wants it. */
class Request {
  static all: Request[] = [];
  readonly upload: { onprogress?: (event: { loaded: number }) => void } = {};
  readonly headers: Record<string, string> = {};
  url = '';
  body!: Blob;
  status = 0;
  responseText = '';
  aborted = false;
  onload?: () => void;
  onerror?: () => void;
  onabort?: () => void;
  open(_method: string, url: string) {
    this.url = url;
  }
  setRequestHeader(name: string, value: string) {
    this.headers[name] = value;
  }
  retryAfter: string | null = null;
  getResponseHeader() {
    return this.retryAfter;
  }
  send(body: Blob) {
    this.body = body;
    Request.all.push(this);
  }
  abort() {
    this.aborted = true;
    this.onabort?.();
  }
  answer(status: number, body: unknown) {
    this.status = status;
    this.responseText = JSON.stringify(body);
    this.onload?.();
  }
  /** Stores all of a batch but what is named, which is refused so. */
  async store(refused: Record<string, { status: number; code: string }> = {}) {
    const items = (await framesOf(this.body)).map(({ path, id }) =>
      refused[path]
        ? { path, status: 'refused', entry: null, error: { ...refused[path], detail: 'No.' } }
        : { path, status: 'created', entry: { id, name: path }, error: null },
    );
    this.answer(200, { items, refused: 0, error: null });
  }
  get operation() {
    return this.headers['operation-id'];
  }
}
const request = (number: number) =>
  vi.waitFor(() => {
    const one = Request.all[number];
    if (!one) throw new Error(`there are ${Request.all.length} requests`);
    return one;
  });

let db: DriveDb;
let learned: string[];
let learn: (...entries: { name: string }[]) => Promise<void>;
let kicks: number;
const file = (name: string, text = name) => new File([text], name);
const want = (...files: File[]) =>
  uploads.add(files.map((one) => ({ file: one, parent: { id: 'ent_folder', name: 'Folder' }, group: null })));
const states = () => Object.fromEntries(uploads.rows.map((row) => [row.name, row.state]));
const until = (wanted: Record<string, string>) => vi.waitFor(() => expect(states()).toEqual(wanted));

beforeEach(() => {
  Request.all = [];
  learned = [];
  learn = (...entries) => Promise.resolve(void learned.push(...entries.map((one) => one.name)));
  kicks = 0;
  vi.stubGlobal('XMLHttpRequest', Request);
  db = new DriveDb(crypto.randomUUID());
  uploads.follow(driveOf());
});
const driveOf = () =>
  ({
    db,
    sync: { state: { link: 'online' }, kick: () => void (kicks += 1) },
    learn: (...entries: { name: string }[]) => learn(...entries),
  }) as unknown as Drive;
afterEach(() => {
  uploads.follow(null);
  vi.unstubAllGlobals();
});

describe('files of one folder', () => {
  it('go in one request, and one that is refused or asked about stops no other', async () => {
    await want(file('a'), file('b', ''), file('c'), file('d'));
    const first = await request(0);
    expect(first.url).toBe('/api/v1/batch?parent=ent_folder');
    expect((await framesOf(first.body)).map(({ path, text }) => [path, text])).toEqual([
      ['a', 'a'],
      ['b', ''],
      ['c', 'c'],
      ['d', 'd'],
    ]);
    await first.store({ b: { status: 507, code: 'quota-exceeded' }, c: { status: 409, code: 'name-taken' } });
    await until({ a: 'done', b: 'failed', c: 'conflict', d: 'done' });
    expect(learned).toEqual(['a', 'd']);
    expect((await db.uploads.toArray()).map((row) => row.name).sort()).toEqual(['b', 'c']);
    expect(Request.all).toHaveLength(1);

    // The answer to the question is another request, not the first one again.
    uploads.answer(uploads.conflict.value!, 'rename', false);
    const second = await request(1);
    expect(second.operation).not.toBe(first.operation);
    expect(second.url).toContain('/api/v1/files?name=c&parent=ent_folder&on_conflict=rename');
    second.answer(201, { id: 'ent_c', name: 'c (2)' });
    await until({ a: 'done', b: 'failed', c: 'done', d: 'done' });
    // Tried again, what was refused is the same to the server as before.
    uploads.resume(uploads.among(['failed']));
    const third = await request(2);
    expect([third.url, third.operation]).toEqual([first.url, first.operation]);
    await third.store();
    await until({ a: 'done', b: 'done', c: 'done', d: 'done' });
  });

  it('say how far each of them is', async () => {
    await want(file('a', 'xxxx'), file('b', 'yyyy'), file('c', 'zzzz'));
    const { upload, body } = await request(0);
    const sent = () => uploads.rows.map((row) => row.sent);
    upload.onprogress!({ loaded: Math.floor(body.size / 3) + 2 });
    expect(sent()).toEqual([4, 0, 0]);
    upload.onprogress!({ loaded: body.size - 1 });
    expect(sent()).toEqual([4, 4, 3]);
    upload.onprogress!({ loaded: body.size });
    expect(sent()).toEqual([4, 4, 4]);
  });

  it('are known again by the server when its answer was lost, also by a page that comes later', async () => {
    await want(file('a'), file('b'));
    const first = await request(0);
    const ids = (await framesOf(first.body)).map((frame) => frame.id);
    expect((await db.uploads.toArray()).map((row) => row.operation)).toEqual([first.operation, first.operation]);
    first.onerror!();
    await until({ a: 'waiting', b: 'waiting' });
    expect(Request.all, 'not before there is reason to try').toHaveLength(1);
    // What comes meanwhile does not get mixed with it.
    await want(file('c'));
    uploads.wake();
    const [again, other] = [await request(1), await request(2)];
    expect(again.operation).toBe(first.operation);
    expect((await framesOf(again.body)).map((frame) => frame.id)).toEqual(ids);
    expect(other.url).toContain('name=c');
  });

  it('go on without the one that is paused or cancelled', async () => {
    await want(file('a'), file('b'), file('c'));
    const first = await request(0);
    uploads.pause([uploads.rows[0]!]);
    expect(first.aborted).toBe(true);
    const second = await request(1);
    expect((await framesOf(second.body)).map((frame) => frame.path)).toEqual(['b', 'c']);
    uploads.cancel([uploads.rows[1]!]);
    const third = await request(2);
    expect((await framesOf(third.body)).map((frame) => frame.path)).toEqual(['c']);
    expect(third.operation).toBe(first.operation);
    await third.store();
    await until({ a: 'paused', c: 'done' });
    uploads.resume([uploads.rows[0]!]);
    await (await request(3)).store();
    await until({ a: 'done', c: 'done' });
  });

  it('go on without the one that cannot be read any more', async () => {
    const gone = file('gone');
    gone.slice = () => ({ arrayBuffer: () => Promise.reject(new DOMException('', 'NotReadableError')) }) as Blob;
    await want(file('a'), gone);
    (await request(0)).onerror!();
    const second = await request(1);
    expect((await framesOf(second.body)).map((frame) => frame.path)).toEqual(['a']);
    await second.store();
    await until({ a: 'done', gone: 'lost' });
  });

  it('all fail together where the folder is gone', async () => {
    await want(file('a'), file('b'));
    (await request(0)).answer(404, { status: 404, code: 'not-found', detail: 'There is no such folder.' });
    await until({ a: 'failed', b: 'failed' });
    expect(uploads.rows[1]!.problem?.message).toBe('There is no such folder.');
  });

  it('stay done where what the server stored cannot be written down here', async () => {
    learn = () => Promise.reject(new DOMException('full', 'QuotaExceededError'));
    await want(file('a'), file('b'));
    await (await request(0)).store({ b: { status: 507, code: 'quota-exceeded' } });
    await vi.waitFor(async () => expect(await db.uploads.toArray()).toMatchObject([{ name: 'b', state: 'failed' }]));
    expect(states()).toEqual({ a: 'done', b: 'failed' });
    expect(kicks).toBe(1);
  });

  it('have the reason that ended the reading of the rest', async () => {
    await want(file('a'), file('b'));
    const first = await request(0);
    const [a] = await framesOf(first.body);
    first.answer(200, {
      items: [{ path: 'a', status: 'created', entry: { id: a!.id, name: 'a' }, error: null }],
      refused: 0,
      error: { status: 400, code: 'invalid-request', detail: 'No header.' },
    });
    await until({ a: 'done', b: 'failed' });
  });
});

describe('a server in trouble', () => {
  const trouble = { status: 503, code: 'unavailable', detail: 'Not now.' };
  /** Only the timers of the queue are the test's: the database needs its own. */
  let rests: { run: () => void; ms: number }[];
  beforeEach(() => {
    rests = [];
    const { setTimeout: real } = globalThis;
    vi.spyOn(globalThis, 'setTimeout').mockImplementation(((run: () => void, ms = 0, ...more: unknown[]) => {
      if (ms < 2_000) return real(run, ms, ...more);
      rests.push({ run, ms });
      return real(() => undefined, 0);
    }) as typeof setTimeout);
  });
  /** So many requests, once nothing more comes by itself. */
  const settled = async (count: number) => {
    await request(count - 1);
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(Request.all).toHaveLength(count);
  };
  const big = (name: string) => file(name, 'x'.repeat(loadFileBytes + 1));

  it('gets everything again after a rest, under the same name', async () => {
    await want(file('a'), file('b'));
    const first = await request(0);
    first.answer(503, trouble);
    await until({ a: 'waiting', b: 'waiting' });
    await settled(1);
    rests[0]!.run();
    const second = await request(1);
    expect(second.operation).toBe(first.operation);
    second.retryAfter = '40';
    second.answer(429, { ...trouble, status: 429 });
    await until({ a: 'waiting', b: 'waiting' });
    await settled(2);
    expect([rests[0]!.ms, rests.at(-1)!.ms]).toEqual([2_000, 40_000]);
    rests.at(-1)!.run();
    await (await request(2)).store();
    await until({ a: 'done', b: 'done' });
  });

  it('is not sent the files behind meanwhile, and rests once for what goes together', async () => {
    await want(...['a', 'b', 'c', 'd'].map(big));
    await settled(3);
    for (const one of Request.all) one.answer(500, trouble);
    await until({ a: 'waiting', b: 'waiting', c: 'waiting', d: 'waiting' });
    await settled(3);
    expect(rests.map((rest) => rest.ms)).toEqual([2_000]);
  });

  it('is given up after some tries, ever further apart, and asked again with all that failed', async () => {
    await want(file('a'));
    for (let at = 0; at < 6; at += 1) {
      (await request(at)).answer(502, trouble);
      await vi.waitFor(() => expect(rests).toHaveLength(at + 1));
      await until({ a: at < 5 ? 'waiting' : 'failed' });
      if (at < 5) rests[at]!.run();
    }
    expect(rests.map((rest) => rest.ms / 1000)).toEqual([2, 4, 8, 16, 32, 60]);
    await settled(6);
    // Somebody who asks does not wait for the rest, and begins to count anew.
    resumeAll();
    (await request(6)).answer(502, trouble);
    await until({ a: 'waiting' });
  });

  it('is something else than an account that is full', async () => {
    await want(file('a'));
    (await request(0)).answer(507, { status: 507, code: 'quota-exceeded', detail: 'Full.' });
    await until({ a: 'failed' });
    expect(rests).toEqual([]);
  });
});

describe('a folder that is not sent yet', () => {
  const folder = () =>
    db.ops.put({
      seq: 1,
      id: 'op',
      at: '',
      state: 'waiting',
      attempts: 0,
      notBefore: 0,
      kind: 'create-folder',
      temp: 'ent_new',
      space: 'spc',
      parent: 'ent_root',
      name: 'New',
    });

  it('holds up nothing that was paused, whenever it was', async () => {
    await folder();
    for (const when of ['before', 'at once', 'while it asks', 'while it waits']) {
      const stop = new AbortController();
      if (when === 'before') stop.abort();
      const found = folderOnServer(driveOf(), 'ent_new', stop.signal);
      const caught = expect(found, when).rejects.toMatchObject({ name: 'AbortError' });
      if (when === 'at once') stop.abort();
      if (when === 'while it asks') setTimeout(() => stop.abort());
      if (when === 'while it waits') setTimeout(() => stop.abort(), 200);
      await caught;
    }
  });

  it('is asked for again and again without anything piling up', async () => {
    await folder();
    const { signal } = new AbortController();
    let listening = 0;
    const [add, remove] = [signal.addEventListener.bind(signal), signal.removeEventListener.bind(signal)];
    signal.addEventListener = (...args: Parameters<typeof add>) => (listening++, add(...args));
    signal.removeEventListener = (...args: Parameters<typeof remove>) => (listening--, remove(...args));
    const found = folderOnServer(driveOf(), 'ent_new', signal);
    await vi.waitFor(() => expect(kicks).toBeGreaterThanOrEqual(3));
    expect(listening).toBeLessThanOrEqual(1);
    await db.ops.clear();
    expect(await found).toBe('ent_new');
    expect(listening).toBe(0);
  });
});

describe('files that are added', () => {
  it('and skipped by the answer for all are not there again after a reload', async () => {
    const there = (name: string) =>
      ({ id: name, name, kind: 'file', parent_id: 'ent_folder', space_id: 'spc' }) as Entry;
    await db.entries.bulkPut(['a', 'b'].map(there));
    await want(file('a'), file('big', 'x'.repeat(loadFileBytes + 1)));
    await request(0);
    uploads.answer(uploads.conflict.value!, 'skip', true);
    const [b, c] = ['ent_folder', 'ent_other'].map((id) => ({ parent: { id, name: id }, group: null }));
    await uploads.add([
      { file: file('b'), ...b! },
      { file: file('c'), ...c! },
    ]);
    expect(states()).toMatchObject({ a: 'skipped', b: 'skipped', big: 'sending' });
    await vi.waitFor(async () =>
      expect((await db.uploads.toArray()).map((row) => row.name).sort()).toEqual(['big', 'c']),
    );
  });

  it('while the account goes do not end up with the next one', async () => {
    const before = db;
    const adding = want(file('a'));
    db = new DriveDb(crypto.randomUUID());
    uploads.follow(driveOf());
    await adding;
    expect(uploads.rows).toEqual([]);
    expect([await before.uploads.count(), await db.uploads.count(), Request.all.length]).toEqual([0, 0, 0]);
  });
});

describe('an account that comes back in the same tab', () => {
  it('finds what was under way when it went, once, and not what was cancelled', async () => {
    await want(file('a'), file('b'), file('c'));
    const first = await request(0);
    uploads.follow(null);
    expect([first.aborted, uploads.rows]).toEqual([true, []]);
    uploads.follow(driveOf());
    await Promise.all([uploads.restore(), uploads.restore()]);
    expect(Object.keys(states()).sort()).toEqual(['a', 'b', 'c']);
    const second = await request(1);
    expect([second.operation, uploads.rows.length]).toEqual([first.operation, 3]);
    const looking = uploads.restore();
    uploads.cancel(uploads.among(['sending']).filter((row) => row.name === 'b'));
    await looking;
    expect(Object.keys(states()).sort()).toEqual(['a', 'c']);
  });
});

describe('what goes together', () => {
  const row = (name: string, more: Partial<UploadRow> = {}) =>
    ({
      id: name,
      name,
      size: 4,
      parent: 'p',
      state: 'waiting',
      onConflict: 'fail',
      operation: null,
      ...more,
    }) as UploadRow;
  const load = (...rows: UploadRow[]) => nextLoad(rows).map((one) => one.id);

  it('is small, for one folder, under one rule, and no name twice', () => {
    expect(
      load(
        row('a'),
        row('b', { parent: 'other' }),
        row('c', { onConflict: 'rename' }),
        row('d', { state: 'paused' }),
        row('e', { size: loadFileBytes + 1 }),
        row('f', { name: 'a' }),
        row('g/h'),
        row('i', { operation: 'o' }),
        row('j'),
      ),
    ).toEqual(['a', 'j']);
    expect(load(row('e', { size: loadFileBytes + 1 }), row('a'))).toEqual(['e']);
    expect(load(row('g/h'), row('a'))).toEqual(['g/h']);
    expect(load(row('a', { operation: 'o' }), row('b'), row('c', { operation: 'o' }))).toEqual(['a', 'c']);
    expect(load(row('a', { state: 'done' }))).toEqual([]);
  });

  it('has bounds', () => {
    const many = (count: number, size: number) => Array.from({ length: count }, (_, at) => row(`${at}`, { size }));
    expect(load(...many(loadFiles + 5, 4))).toHaveLength(loadFiles);
    expect(load(...many(20, loadFileBytes))).toHaveLength(Math.floor(loadBytes / loadFileBytes));
  });

  it('is put together without reading it', () => {
    const read = vi.fn();
    const one = file('a');
    for (const way of ['arrayBuffer', 'text', 'stream', 'bytes'] as const) one[way] = read;
    const small: Small = { file: one, name: 'ä', entry: 'ent_1', onConflict: 'fail' };
    expect(bodyOf([small]).body.size).toBeGreaterThan(one.size);
    expect(read).not.toHaveBeenCalled();
  });
});
