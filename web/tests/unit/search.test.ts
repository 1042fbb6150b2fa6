// The language of the search, what it finds, and in which order.
import 'fake-indexeddb/auto';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { DriveDb, type Entry } from '@/data/db';
import { newOp } from '@/data/outbox/ops';
import { bytesOf, sizesOf, timesOf } from '@/data/search/amounts';
import { fold, sortKey } from '@/data/search/fold';
import { parse, print, type Token } from '@/data/search/query';
import { SearchIndex, type Ordering } from '@/data/search/searchIndex';
import { keysOf, SearchSource } from '@/data/search/source';

const now = new Date(2026, 10, 21, 15, 0).getTime();
const at = (...date: [number, number, number]) => new Date(date[0], date[1] - 1, date[2], 12).toISOString();
let last = 0;
const entry = (name: string, more: Partial<Entry> = {}): Entry => {
  last += 1;
  return {
    id: `ent_${String(last).padStart(4, '0')}`,
    space_id: 'spc_mine',
    parent_id: 'ent_root',
    name,
    kind: 'file',
    revision: 1,
    created_at: at(2026, 1, 1),
    modified_at: at(2026, 1, 1),
    size: 1,
    ...more,
  };
};
const world = {
  now,
  tags: [
    { id: 'tag_1', name: 'Urgent', merged_ids: ['tag_old'] },
    { id: 'tag_2', name: 'Для печати', merged_ids: [] },
  ],
  spaces: [
    { id: 'spc_mine', names: ['', 'My files'], owner: 'usr_me', owners: [] },
    { id: 'spc_team', names: ['Harbour team'], owner: 'usr_mia', owners: ['Mia Larsen'] },
  ],
  me: 'usr_me',
  stars: new Set<string>(),
  shared: new Set<string>(),
  gone: new Set<string>(),
};
const byRank: Ordering = { sort: 'rank', descending: false };
function find(entries: readonly Entry[], text: string, more: Partial<typeof world> = {}, order = byRank): string[] {
  const index = new SearchIndex();
  index.put([entry('', { id: 'ent_root', parent_id: null, kind: 'folder' }), ...entries]);
  const looking = index.find(parse(text), { ...world, ...more }, order);
  let step = looking.next();
  while (!step.done) step = looking.next();
  const names = new Map(entries.map((one) => [one.id, one.name]));
  return step.value.map((id) => names.get(id)!);
}
const word = (value: string, not = false): Token => ({ op: null, value, not });

describe('the language', () => {
  it('takes words, quotes, operators and what must not be apart', () => {
    expect(parse('plan  "two words" -draft kind:image tag:"very urgent" -is:shared')).toEqual([
      word('plan'),
      word('two words'),
      word('draft', true),
      { op: 'kind', value: 'image', not: false },
      { op: 'tag', value: 'very urgent', not: false },
      { op: 'is', value: 'shared', not: true },
    ]);
  });

  it('leaves alone what is no operator', () => {
    expect(parse('12:30 note: https://x - a-b -')).toEqual([
      word('12:30'),
      word('note:'),
      word('https://x'),
      word('-'),
      word('a-b'),
      word('-'),
    ]);
    expect(parse('"not closed')).toEqual([word('not closed')]);
    expect(parse('kind:')).toEqual([{ op: 'kind', value: '', not: false }]);
  });

  it('knows Russian words, and prints English ones', () => {
    expect(
      print(parse('отчёт вид:картинки изменён:Вчера владелец:я размер:>10МБ есть:избранное метка:«Для печати»')),
    ).toBe('отчёт kind:image modified:yesterday owner:я size:>10МБ is:favourite tag:"Для печати"');
  });

  it('prints what reads back as the same', () => {
    for (const text of ['a b', '-"a b" in:"x y"', '"-a"', '"kind:image"', 'kind:image,video -tag:x'])
      expect(parse(print(parse(text))), text).toEqual(parse(text));
  });
});

describe('amounts', () => {
  it('reads sizes in both languages', () => {
    expect([bytesOf('10MB'), bytesOf('1,5 ГБ'), bytesOf('7'), bytesOf('2 пуда')]).toEqual([1e7, 1.5e9, 7, null]);
    expect(sizesOf('>10MB')).toEqual({ from: 1e7 + 1, to: Infinity });
    expect(sizesOf('1kb..2kb')).toEqual({ from: 1000, to: 2000 });
    expect(sizesOf('<=1KB')).toEqual({ from: 0, to: 1000 });
    expect(sizesOf('big')).toBeNull();
  });

  it('reads times by the calendar', () => {
    const day = (year: number, month: number, date: number) => new Date(year, month - 1, date).getTime();
    expect(timesOf('2026-10', now)).toEqual({ from: day(2026, 10, 1), to: day(2026, 11, 1) });
    expect(timesOf('05.10.2026', now)).toEqual({ from: day(2026, 10, 5), to: day(2026, 10, 6) });
    expect(timesOf('2025..2026-02', now)).toEqual({ from: day(2025, 1, 1), to: day(2026, 3, 1) });
    expect(timesOf('yesterday', now)).toEqual({ from: day(2026, 11, 20), to: day(2026, 11, 21) });
    expect(timesOf('неделя', now)).toEqual({ from: day(2026, 11, 15), to: Infinity });
    expect([timesOf('2026-02-30', now), timesOf('soon', now), timesOf('2026-13', now)]).toEqual([null, null, null]);
  });
});

describe('finding', () => {
  it('takes ё for е, and needs neither case nor diacritics', () => {
    expect(fold('ПЁТР Élan Straße')).toBe('петр elan strasse');
    expect(fold('Мой')).toBe('мой');
    const files = [entry('Отчёт.pdf'), entry('RÉSUMÉ.doc'), entry('Мои.txt'), entry('Мой.txt')];
    expect(find(files, 'отчет')).toEqual(['Отчёт.pdf']);
    expect(find(files, 'resume')).toEqual(['RÉSUMÉ.doc']);
    expect(find(files, 'мой')).toEqual(['Мой.txt']);
  });

  it('takes the words in any order', () => {
    expect(find([entry('Harbour survey 2026.pdf'), entry('survey.pdf')], 'surv harb')).toEqual([
      'Harbour survey 2026.pdf',
    ]);
  });

  it('puts what fits best first', () => {
    const files = ['A report of plans.txt', 'explanation.txt', 'Planning.txt', 'plan.txt', 'The plan B.txt'].map(
      (name) => entry(name),
    );
    expect(find(files, 'plan')).toEqual([
      'plan.txt',
      'Planning.txt',
      'The plan B.txt',
      'A report of plans.txt',
      'explanation.txt',
    ]);
    const equal = [entry('plan a.txt'), entry('plan b', { kind: 'folder', size: undefined })];
    expect(find(equal, 'plan')).toEqual(['plan b', 'plan a.txt']);
  });

  it('finds what is said of it, last', () => {
    const files = [entry('a.txt', { description: 'The agreed plan' }), entry('explain.txt')];
    expect(find(files, 'plan')).toEqual(['a.txt']);
    expect(find([...files, entry('plan.txt')], 'plan')).toEqual(['plan.txt', 'a.txt']);
  });

  it('shows the newest first where there are no words', () => {
    const files = [
      entry('old.png', { modified_at: at(2025, 1, 1) }),
      entry('new.png', { modified_at: at(2026, 5, 1) }),
    ];
    expect(find(files, 'kind:image')).toEqual(['new.png', 'old.png']);
    expect(find(files, '')).toEqual([]);
    expect(find(files, 'kind:')).toEqual([]);
  });

  it('sorts as it is told, numbers in their order', () => {
    const files = [entry('scan 10.pdf', { size: 5 }), entry('scan 2.pdf', { size: 9 })];
    expect(find(files, 'scan', {}, { sort: 'name', descending: false })).toEqual(['scan 2.pdf', 'scan 10.pdf']);
    expect(find(files, 'scan', {}, { sort: 'size', descending: true })).toEqual(['scan 2.pdf', 'scan 10.pdf']);
    expect(sortKey('a2') < sortKey('a10')).toBe(true);
  });

  it('knows kinds, sizes and times', () => {
    const files = [
      entry('a.png', { size: 2e7, modified_at: at(2026, 11, 21) }),
      entry('b.mp4', { size: 5, modified_at: at(2026, 10, 3) }),
      entry('c', { kind: 'folder', size: undefined }),
    ];
    expect(find(files, 'kind:image,folder').sort()).toEqual(['a.png', 'c']);
    expect(find(files, 'kind:image kind:video').sort()).toEqual(['a.png', 'b.mp4']);
    expect(find(files, 'kind:ima')).toEqual(['a.png']);
    expect(find(files, 'kind:banana')).toEqual([]);
    expect(find(files, 'size:>10MB')).toEqual(['a.png']);
    expect(find(files, 'modified:today')).toEqual(['a.png']);
    expect(find(files, 'modified:2026-10')).toEqual(['b.mp4']);
    expect(find(files, 'before:2026-10')).toEqual(['c']);
    expect(find(files, 'after:2026-11-21 -kind:video')).toEqual(['a.png']);
    expect(find(files, 'size:big')).toEqual([]);
  });

  it('knows tags by name, by id, by the id they had before, and several of them', () => {
    const files = [entry('both', { tags: ['tag_old', 'tag_2'] }), entry('one', { tags: ['tag_1'] }), entry('none')];
    expect(find(files, 'tag:urg').sort()).toEqual(['both', 'one']);
    expect(find(files, 'tag:tag_1 tag:"для печати"')).toEqual(['both']);
    expect(find(files, 'tag:tag_2,urgent').sort()).toEqual(['both', 'one']);
    expect(find(files, '-tag:urgent')).toEqual(['none']);
    expect(find(files, 'tag:gone')).toEqual([]);
  });

  it('knows where things are, however deep, and whose they are', () => {
    const top = entry('Projects', { kind: 'folder' });
    const sub = entry('tide', { kind: 'folder', parent_id: top.id });
    const deep = entry('main.rs', { parent_id: sub.id });
    const theirs = entry('berths.txt', { space_id: 'spc_team', parent_id: 'ent_other' });
    const files = [top, sub, deep, theirs, entry('main.c')];
    expect(find(files, 'in:projects').sort()).toEqual(['main.rs', 'tide']);
    expect(find(files, `in:${sub.id} main`)).toEqual(['main.rs']);
    expect(find(files, 'space:harbour')).toEqual(['berths.txt']);
    expect(find(files, 'owner:larsen')).toEqual(['berths.txt']);
    expect(find(files, 'owner:я main').sort()).toEqual(['main.c', 'main.rs']);
    expect(find(files, 'main', { gone: new Set([top.id]) })).toEqual(['main.c']);
  });

  it('knows favourites and what is shared, with what is in it', () => {
    const top = entry('Photos', { kind: 'folder' });
    const inside = entry('a.png', { parent_id: top.id });
    const files = [top, inside, entry('b.png')];
    expect(find(files, 'is:starred', { stars: new Set([inside.id]) })).toEqual(['a.png']);
    expect(find(files, 'is:shared png', { shared: new Set([top.id]) })).toEqual(['a.png']);
    expect(find(files, '-is:shared png', { shared: new Set([top.id]) })).toEqual(['b.png']);
  });
});

describe('in step with the database', () => {
  const opened: { db: DriveDb; source: SearchSource }[] = [];
  afterEach(async () => {
    for (const { db, source } of opened.splice(0)) {
      source.close();
      await db.delete();
    }
  });
  async function start(entries: readonly Entry[]) {
    const db = new DriveDb(`search-${(last += 1)}`);
    await db.entries.bulkPut([...entries]);
    const changed = vi.fn();
    const source = new SearchSource(new DriveDb(db.name.slice('holdfast-'.length)), 'usr_me', changed);
    opened.push({ db, source });
    await source.ready();
    const ask = async (text: string) => {
      const looking = source.index.find(parse(text), source.world(now, 'spc_mine', 'My files'), byRank);
      let step = looking.next();
      while (!step.done) step = looking.next();
      return (await source.items(step.value)).map((item) => item.name);
    };
    return { db, ask, changed, source };
  }

  it('reads the keys of small changes, and knows large ones', () => {
    expect(keysOf({ d: 1, from: 'b', to: 'b', l: { from: 'a', to: 'a' }, r: null })).toEqual(['a', 'b']);
    expect(keysOf({ from: -Infinity, to: [[]] })).toBeNull();
    expect(keysOf({ d: 0 })).toEqual([]);
  });

  it('follows what is written and removed, few or many at once', async () => {
    const { db, ask, changed } = await start([entry('plan one')]);
    expect(await ask('plan')).toEqual(['plan one']);
    const second = entry('plan two');
    await db.entries.put(second);
    await vi.waitFor(() => expect(changed).toHaveBeenCalledTimes(1));
    expect((await ask('plan')).sort()).toEqual(['plan one', 'plan two']);
    await db.entries.bulkPut(Array.from({ length: 80 }, (_, number) => entry(`many ${number}`)));
    await db.entries.delete(second.id);
    await vi.waitFor(async () => expect(await ask('many')).toHaveLength(80));
    expect(await ask('plan')).toEqual(['plan one']);
  });

  it('sees what waits to be sent, and the state without it when that is taken back', async () => {
    const first = entry('plan one');
    const { db, ask, changed } = await start([first]);
    const before = { name: first.name, parent: 'ent_root', revision: 1 };
    const renamed = await db.ops.add(newOp({ kind: 'update', entry: first.id, name: 'idea', before }));
    await db.ops.add(
      newOp({ kind: 'create-folder', temp: 'tmp_1', space: 'spc_mine', parent: 'ent_root', name: 'plan folder' }),
    );
    await vi.waitFor(() => expect(changed).toHaveBeenCalled());
    expect(await ask('plan')).toEqual(['plan folder']);
    expect(await ask('idea')).toEqual(['idea']);
    changed.mockClear();
    await db.ops.delete(renamed);
    await vi.waitFor(() => expect(changed).toHaveBeenCalled());
    expect((await ask('plan')).sort()).toEqual(['plan folder', 'plan one']);
  });
});
