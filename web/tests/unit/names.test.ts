// Names: stems, order, free names, and what is refused.
import { describe, expect, it } from 'vitest';
import { compareNames, freeName, nameTrouble, stemLength } from '@/lib/names';

describe('the stem of a name', () => {
  it.each([
    ['report.pdf', 'file', 6],
    ['archive.tar.gz', 'file', 7],
    ['.gitignore', 'file', 10],
    ['no ending', 'file', 9],
    ['v1.2', 'folder', 4],
  ] as const)('%s (%s)', (name, kind, length) => expect(stemLength(name, kind)).toBe(length));
});

it('orders names as people count', () => {
  expect(['Scan 10', 'scan 2', 'Scan 1', 'Ёлка', 'Ель'].sort(compareNames)).toEqual([
    'Scan 1',
    'scan 2',
    'Scan 10',
    'Ёлка',
    'Ель',
  ]);
});

describe('a free name', () => {
  const taken =
    (...names: string[]) =>
    (name: string) =>
      names.includes(name);
  it.each([
    ['a.txt', 'file', [], 'a.txt'],
    ['a.txt', 'file', ['a.txt'], 'a (2).txt'],
    ['a.txt', 'file', ['a.txt', 'a (2).txt'], 'a (3).txt'],
    ['a (2).txt', 'file', ['a (2).txt'], 'a (3).txt'],
    ['b.tar.gz', 'file', ['b.tar.gz'], 'b (2).tar.gz'],
    ['v1.2', 'folder', ['v1.2'], 'v1.2 (2)'],
  ] as const)('%s as a %s beside %j', (name, kind, there, expected) => {
    const known = there as readonly string[];
    const free = freeName(name, kind, taken(...known));
    expect(known).not.toContain(free);
    if (name !== 'a (2).txt') expect(free).toBe(expected);
  });
});

describe('trouble with a name', () => {
  it.each([
    ['', 'empty'],
    ['  ', 'empty'],
    ['..', 'dots'],
    ['a/b', 'slash'],
    ['a\u0007', 'control'],
    ['я'.repeat(128), 'long'],
    ['я'.repeat(127), null],
    ['Отчёт.pdf', null],
  ] as const)('%j', (name, trouble) => expect(nameTrouble(name)).toBe(trouble));
});
