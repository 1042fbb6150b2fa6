// Selecting as desktops do.
import { expect, it } from 'vitest';
import { Selection } from '@/features/drive/selection';

const order = ['a', 'b', 'c', 'd', 'e'];
const fresh = () => new Selection(() => order);
const of = (selection: Selection) => [...selection.ids.value].sort().join('');

it('clicks, toggles and ranges', () => {
  const it = fresh();
  it.click('b');
  it.click('d', { range: true });
  expect(of(it)).toBe('bcd');
  // The range turns around its anchor.
  it.click('a', { range: true });
  expect(of(it)).toBe('ab');
  it.click('e', { toggle: true });
  it.click('a', { toggle: true });
  expect(of(it)).toBe('be');
});

it('steps with the cursor and stops at the ends', () => {
  const it = fresh();
  it.step(1);
  expect(it.cursor).toBe('a');
  it.step(-1);
  expect(it.cursor).toBe('a');
  it.step(2, true);
  expect(of(it)).toBe('abc');
  it.step(-1, true);
  expect(of(it)).toBe('ab');
  it.step(99);
  expect(of(it)).toBe('e');
});

it('keeps what was selected under a rubber band', () => {
  const it = fresh();
  it.click('a');
  it.band(['c', 'd'], new Set(['a']));
  expect(of(it)).toBe('acd');
  it.band(['c'], new Set(['a']));
  expect(of(it)).toBe('ac');
});

it('follows an id that became real and drops what is gone', () => {
  const it = fresh();
  it.only(['a', 'b', 'c']);
  it.follow(new Set(['x', 'c', 'd']), new Map([['a', 'x']]));
  expect(of(it)).toBe('cx');
  expect(it.cursor).toBe('c');
});

it('moves the cursor past what is selected, and begins a range there', () => {
  const it = fresh();
  it.click('b');
  it.focus('d');
  expect(of(it)).toBe('b');
  expect(it.cursor).toBe('d');
  it.click('d', { toggle: true });
  expect(of(it)).toBe('bd');
  it.focus('a');
  it.rangeTo('b', true);
  expect(of(it)).toBe('abd');
});
