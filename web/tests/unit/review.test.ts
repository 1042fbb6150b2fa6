// What is told after a time without connection, and after the browser has cleared the device.
import { beforeEach, describe, expect, it } from 'vitest';
import { DriveDb, type Entry, type Sent } from '@/data/db';
import { lostChanges, noteUnsent } from '@/data/eviction';
import { newOp } from '@/data/outbox/ops';
import { Away, type Change } from '@/data/sync/review';
import { putEntries } from '@/data/sync/store';
import { describeOp } from '@/data/outbox/words';
import { describeNote, describeSeen, newsOf } from '@/features/review/describe';

const at = '2026-11-21T05:00:00.000Z';
const later = new Date(at).getTime() + 60_000;
const entry = (id: string, name: string, revision = 1, parent = 'ent_root'): Entry => ({
  id,
  space_id: 'spc_1',
  parent_id: parent,
  name,
  kind: 'file',
  revision,
  created_at: at,
  modified_at: at,
});
const change = (kind: string, id: string, revision: number, now: Entry | null): Change => ({
  kind,
  at,
  entry_id: id,
  revision,
  entry: now,
});
const rename = (id: string, from: string, name: string) =>
  newOp({ kind: 'update', entry: id, name, before: { name: from, parent: 'ent_root', revision: 1 } });

let db: DriveDb;
beforeEach(() => {
  db = new DriveDb(crypto.randomUUID());
  localStorage.clear();
});

describe('a return', () => {
  it('tells both sides, and leaves our own work out of what others did', async () => {
    await putEntries(db, [entry('ent_a', 'a'), entry('ent_b', 'b')]);
    const away = new Away(at);
    away.sent(rename('ent_a', 'a', 'mine'), { entry: entry('ent_a', 'mine', 2) });
    await away.pulled(db, [
      change('renamed', 'ent_a', 2, entry('ent_a', 'mine', 2)),
      change('renamed', 'ent_b', 2, entry('ent_b', 'theirs', 2)),
    ]);
    const review = away.finish(later);
    expect(review?.mine.map((one) => describeOp(one.op))).toEqual(['Rename “a” to “mine”']);
    expect(review?.theirs.map(describeSeen)).toEqual(['Renamed “b” to “theirs”']);
  });

  it('tells one thing about an entry that was changed many times, and nothing about what came and went', async () => {
    await putEntries(db, [entry('ent_a', 'a')]);
    const away = new Away(at);
    away.sent(rename('ent_x', 'x', 'y'), { entry: entry('ent_x', 'y', 2) });
    await away.pulled(db, [
      change('renamed', 'ent_a', 2, entry('ent_a', 'b', 2)),
      change('created', 'ent_n', 1, entry('ent_n', 'n')),
    ]);
    await putEntries(db, [entry('ent_a', 'b', 2), entry('ent_n', 'n')]);
    await away.pulled(db, [
      change('moved', 'ent_a', 3, entry('ent_a', 'c', 3, 'ent_else')),
      change('trashed', 'ent_n', 2, null),
    ]);
    expect(away.finish(later)?.theirs.map(describeSeen)).toEqual(['Renamed “a” to “c”']);
  });

  it('is not worth a word when nothing met and it was short, or only one side did something', async () => {
    const quiet = new Away(at);
    quiet.sent(rename('ent_a', 'a', 'b'), { entry: entry('ent_a', 'b', 2) });
    expect(quiet.finish(later)).toBeNull();
    const short = new Away(at);
    short.sent(rename('ent_a', 'a', 'b'), { entry: entry('ent_a', 'b', 2) });
    await short.pulled(db, [change('created', 'ent_n', 1, entry('ent_n', 'n'))]);
    expect(short.finish(new Date(at).getTime() + 100)).toBeNull();
    const met = new Away(at);
    met.sent(rename('ent_a', 'a', 'b'), {
      entry: entry('ent_a', 'b', 3),
      note: { code: 'renamed-too', name: 'b', theirs: 'c' },
    });
    expect(met.finish(new Date(at).getTime() + 100)).not.toBeNull();
  });

  it('keeps a bounded number of changes and counts the rest', async () => {
    const away = new Away(at);
    away.sent(rename('ent_a', 'a', 'b'), { entry: entry('ent_a', 'b', 2) });
    await away.pulled(
      db,
      Array.from({ length: 400 }, (_, number) => change('created', `ent_${number}`, 1, entry(`ent_${number}`, 'n'))),
    );
    const review = away.finish(later);
    expect([review?.theirs.length, review?.more]).toEqual([300, 100]);
  });

  it('says a conflict once, with both sides', () => {
    const sent: Sent = {
      op: rename('ent_a', 'plan', 'mine'),
      entry: entry('ent_a', 'mine', 3),
      note: { code: 'renamed-too', name: 'mine', theirs: 'theirs' },
    };
    expect(describeNote(sent)).toEqual({ theirs: 'Renamed it to “theirs”', now: 'It is called “mine” now.' });
    const seen = { kind: 'renamed', at, entry: 'ent_a', before: null, after: null };
    expect(newsOf([sent], [seen, { ...seen, entry: 'ent_b' }]).map((one) => one.entry)).toEqual(['ent_b']);
  });
});

describe('a device that was cleared', () => {
  it('is noticed by the changes that were still to be sent', async () => {
    const noting = noteUnsent(db, 'usr_1');
    await db.ops.add(rename('ent_a', 'a', 'b'));
    await new Promise((resolve) => {
      const ask = () => (localStorage.getItem('holdfast.unsent.usr_1') === '1' ? resolve(null) : setTimeout(ask, 5));
      ask();
    });
    noting.unsubscribe();
    const cleared = new DriveDb(crypto.randomUUID());
    expect(await lostChanges(cleared, 'usr_1')).toBe(1);
    expect(await lostChanges(cleared, 'usr_2')).toBe(0);
    // A database that is there has lost nothing.
    expect(await lostChanges(db, 'usr_1')).toBe(0);
  });
});
