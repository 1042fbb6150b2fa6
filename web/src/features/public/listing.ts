// How what is in a folder is put before a visitor.
import { kindOf } from '@/lib/kinds';
import { compareNames } from '@/lib/names';
import type { LinkedEntry, PublicLink } from './api';

/** Larger pictures than this show as their kind: small ones are made of all their bytes. */
export const maxPictureBytes = 12_000_000;

/** Folders first, then by name as people read names. */
const compare = (a: LinkedEntry, b: LinkedEntry): number =>
  Number(b.kind === 'folder') - Number(a.kind === 'folder') || compareNames(a.name, b.name);
export const order = (items: readonly LinkedEntry[]): LinkedEntry[] => [...items].sort(compare);

/** Two lists that are in order, as one. */
export function inOrder(some: readonly LinkedEntry[], more: readonly LinkedEntry[]): readonly LinkedEntry[] {
  if (some.length === 0 || more.length === 0) return some.length === 0 ? more : some;
  const all: LinkedEntry[] = [];
  let at = 0;
  for (const item of more) {
    while (at < some.length && compare(some[at]!, item) <= 0) all.push(some[at++]!);
    all.push(item);
  }
  return [...all, ...some.slice(at)];
}

/** Whether a folder is best seen as pictures: most of its files are some. */
export function wantsGrid(items: readonly LinkedEntry[]): boolean {
  const files = items.filter((item) => item.kind === 'file');
  return files.length >= 3 && files.filter((item) => kindOf(item) === 'image').length * 2 > files.length;
}

/** Whether an item shows itself in the grid. Where downloads are counted down, looking around must not use them up. */
export const showsPictures = (link: PublicLink, item: LinkedEntry): boolean =>
  link.downloads_left === null && kindOf(item) === 'image' && (item.size ?? Infinity) <= maxPictureBytes;

/** The files before and after one, of a list that is in order. */
export function around(
  items: readonly LinkedEntry[],
  id: string,
): { at: number; count: number; before: LinkedEntry | null; after: LinkedEntry | null } {
  const files = items.filter((item) => item.kind === 'file');
  const at = files.findIndex((item) => item.id === id);
  return { at, count: files.length, before: files[at - 1] ?? null, after: (at >= 0 && files[at + 1]) || null };
}
