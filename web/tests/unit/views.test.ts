// How a folder is laid out: order, groups, places of items, columns, and what is remembered of it.
import { describe, expect, it } from 'vitest';
import type { Item } from '@/data/project';
import { fitColumns, templateOf } from '@/features/drive/columns';
import { fitTiles, Layout } from '@/features/drive/geometry';
import { sane } from '@/features/drive/prefs';
import { ageOf, sectionsOf, sortItems } from '@/features/drive/sort';

const item = (name: string, more: Partial<Item> = {}): Item => ({
  id: name,
  space_id: 's',
  parent_id: 'p',
  name,
  kind: 'file',
  revision: 1,
  created_at: '2026-01-01T00:00:00Z',
  modified_at: '2026-01-01T00:00:00Z',
  size: 1,
  ...more,
});
const names = (items: readonly Item[]) => items.map((one) => one.name).join(' ');

describe('order', () => {
  it('puts folders first and numbers in their order, whichever way it is turned', () => {
    const items = [item('b10.txt'), item('b2.txt'), item('z', { kind: 'folder' }), item('A.txt')];
    expect(names(sortItems(items, { sort: 'name', descending: false }))).toBe('z A.txt b2.txt b10.txt');
    expect(names(sortItems(items, { sort: 'name', descending: true }))).toBe('z b10.txt b2.txt A.txt');
  });

  it('keeps groups together, and sorts within them', () => {
    const items = [item('b.png', { size: 2 }), item('a.rs', { size: 9 }), item('a.png', { size: 3 })];
    const sorted = sortItems(items, { sort: 'size', descending: true, group: 'kind' });
    expect(names(sorted)).toBe('a.png b.png a.rs');
    expect(sectionsOf(sorted, 'kind')).toEqual([
      { key: 'image', from: 0, count: 2 },
      { key: 'code', from: 2, count: 1 },
    ]);
    expect(sectionsOf(sorted, 'none')).toEqual([{ key: 'all', from: 0, count: 3 }]);
    expect(sectionsOf([], 'none')).toEqual([]);
  });

  it('tells ages by the calendar, not by hours', () => {
    const now = new Date(2026, 10, 21, 0, 30).getTime();
    const at = (...parts: [number, number, number, number]) => new Date(...parts).toISOString();
    expect(ageOf(at(2026, 10, 21, 0), now)).toBe('today');
    expect(ageOf(at(2026, 10, 20, 23), now)).toBe('yesterday');
    expect(ageOf(at(2026, 10, 15, 1), now)).toBe('week');
    expect(ageOf(at(2026, 10, 1, 1), now)).toBe('month');
    expect(ageOf(at(2026, 2, 1, 1), now)).toBe('year');
    expect(ageOf(at(2025, 11, 31, 1), now)).toBe('earlier');
  });
});

describe('layout', () => {
  const cells = { columns: 3, width: 100, height: 80, gap: 4, start: 10 };
  const sections = [
    { key: 'image', from: 0, count: 4 },
    { key: 'code', from: 4, count: 2 },
  ] as const;
  const grid = new Layout(sections, cells, 12, 30);

  it('has a heading over each group and the last line of a group may be short', () => {
    expect(grid.lines.map((line) => line.head ?? line.from)).toEqual(['image', 0, 3, 'code', 4]);
    expect(grid.lines.map((line) => line.top)).toEqual([12, 42, 126, 210, 240]);
  });

  it('finds the line of every item', () => {
    expect([0, 1, 2, 3, 4, 5, 6, -1].map((index) => grid.lineOf(index))).toEqual([1, 1, 1, 2, 4, 4, -1, -1]);
    const long = new Layout([{ key: 'all', from: 0, count: 1000 }], { ...cells, columns: 7 }, 0, 0);
    for (let index = 0; index < 1000; index += 1) expect(long.lineOf(index)).toBe(Math.floor(index / 7));
  });

  it('goes down over headings into the same column, or the last one', () => {
    expect(grid.beside(2, 1)).toBe(3);
    expect(grid.beside(3, 1)).toBe(4);
    expect(grid.beside(1, -1)).toBe(1);
    expect(grid.beside(5, -1)).toBe(3);
    expect(grid.beside(5, 1)).toBe(5);
  });

  it('finds what a rectangle touches', () => {
    expect(grid.indexesIn({ left: 120, right: 130, top: 43, bottom: 241 })).toEqual([1, 5]);
    expect(grid.indexesIn({ left: 0, right: 9, top: 0, bottom: 999 })).toEqual([]);
    // The gap between two lines belongs to neither.
    expect(grid.indexesIn({ left: 20, right: 21, top: 123, bottom: 125 })).toEqual([]);
    const list = new Layout(
      [{ key: 'all', from: 0, count: 100 }],
      { columns: 1, width: Infinity, height: 34, gap: 0, start: 0 },
      36,
      0,
    );
    expect(list.indexesIn({ left: 0, right: 10, top: 37, bottom: 36 + 34 * 3 - 1 })).toEqual([0, 1, 2]);
    expect(list.indexesIn({ left: 0, right: 10, top: 99_999, bottom: 99_999 })).toEqual([]);
  });

  it('fills the line with tiles of about the wished width', () => {
    const tiles = fitTiles(600, 132, 20);
    expect(tiles.columns).toBe(4);
    expect(tiles.start * 2 + tiles.columns * tiles.width + 3 * tiles.gap).toBeLessThanOrEqual(600);
    expect(fitTiles(40, 132, 2).columns).toBe(1);
  });
});

it('lets columns go one by one as it gets narrow, the size last', () => {
  const all = ['modified', 'created', 'kind', 'type', 'size'] as const;
  expect(fitColumns(all, 1200)).toEqual(all);
  expect(fitColumns(all, 820)).toEqual(['modified', 'created', 'kind', 'size']);
  expect(fitColumns(all, 390)).toEqual(['size']);
  expect(fitColumns([], 390)).toEqual([]);
  expect(templateOf(['size'], 390)).toBe('minmax(0, 1fr) 72px');
  // People's names take what a short name of a file leaves, and half the line of a phone.
  expect(templateOf(['who', 'size'], 1200)).toBe('minmax(0, 1fr) minmax(184px, 0.5fr) 88px');
  expect(templateOf(['who'], 374)).toBe('minmax(0, 1fr) minmax(0, 0.7fr)');
});

it('makes whole what another version of the page has kept', () => {
  expect(sane({ view: 'grid', sort: 'size', descending: true })).toEqual({
    view: 'grid',
    sort: 'size',
    descending: true,
    group: 'none',
    columns: ['modified', 'kind', 'size'],
  });
  expect(sane({ view: 'carousel', columns: ['size', 'weight', 'modified'] })).toMatchObject({
    view: 'list',
    columns: ['modified', 'size'],
  });
  expect(sane('nonsense').view).toBe('list');
});
