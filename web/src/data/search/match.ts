// Whether an entry is what a query asks for, and how well. A query is made into a test once, and asked for each entry.
import { extension, stemLength } from '@/lib/names';
import { kindOf, type Kind } from '@/lib/kinds';
import type { Entry } from '../db';
import { sizesOf, timesOf } from './amounts';
import { fold, sortKey } from './fold';
import type { Token } from './query';
import { kindWords, meanings, selfWords, stateWords, type Operator, type State } from './words';

/** What is kept of an entry to find it by. */
export interface Row {
  id: string;
  parent: string | null;
  space: string;
  /** Folded, and the part of it before the ending. */
  name: string;
  stem: string;
  /** Made when names are first sorted. */
  order?: string;
  kind: Kind;
  size: number | null;
  modified: number;
  created: number;
  tags: readonly string[];
  description: string;
}

/** What else there is to know. */
export interface World {
  now: number;
  row: (id: string) => Row | undefined;
  /** All rows, for folders that are named. */
  rows: () => Iterable<Row>;
  /** Tags with every id that stands for them. */
  tags: readonly { id: string; name: string; merged_ids: readonly string[] }[];
  /** `names` are those that may be typed for it. */
  spaces: readonly { id: string; names: readonly string[]; owner: string | null; owners: readonly string[] }[];
  me: string;
  stars: ReadonlySet<string>;
  shared: ReadonlySet<string>;
  /** What was deleted here and is still known to the server: what is in it is out of sight too. */
  gone: ReadonlySet<string>;
}

export function rowOf(entry: Entry): Row {
  const name = fold(entry.name);
  return {
    id: entry.id,
    parent: entry.parent_id ?? null,
    space: entry.space_id,
    name,
    stem:
      entry.kind === 'file' && extension(entry.name) !== '' ? fold(entry.name.slice(0, stemLength(entry.name))) : name,
    kind: kindOf(entry),
    size: entry.size ?? null,
    modified: Date.parse(entry.modified_at),
    created: Date.parse(entry.created_at),
    tags: entry.tags ?? [],
    description: entry.description ? fold(entry.description) : '',
  };
}

export const orderOf = (row: Row) => (row.order ??= sortKey(row.name));

/** How well a name answers: the smaller, the better. */
export const ranks = { exact: 0, prefix: 1, words: 2, inside: 3, description: 4 } as const;

const letter = /[\p{L}\p{N}]/u;
/** Whether a text begins somewhere where a word of the name begins. */
export function beginsWord(name: string, text: string): boolean {
  for (let at = name.indexOf(text); at >= 0; at = name.indexOf(text, at + 1))
    if (at === 0 || !letter.test(name[at - 1]!) || !letter.test(text[0]!)) return true;
  return false;
}

type Test = (row: Row) => boolean;
const nothing: Test = () => false;

function within(ids: ReadonlySet<string>, world: World): Test {
  const known = new Map<string, boolean>();
  const isInside = (id: string | null): boolean => {
    const path: string[] = [];
    let answer = false;
    for (let at = id; at !== null && path.length < 256; at = world.row(at)?.parent ?? null) {
      const before = known.get(at);
      answer = before ?? ids.has(at);
      if (before !== undefined) break;
      path.push(at);
      if (answer) break;
    }
    for (const step of path) known.set(step, answer);
    return answer;
  };
  return (row) => isInside(row.parent);
}

/** Folders by id or by name: those of exactly that name, or else those with a word that begins so. */
function foldersNamed(value: string, world: World): ReadonlySet<string> {
  if (/^(?:ent|tmp)_/.test(value)) return new Set([value]);
  const wanted = fold(value);
  const exact = new Set<string>();
  const begun = new Set<string>();
  for (const row of world.rows()) {
    if (row.kind !== 'folder') continue;
    if (row.name === wanted) exact.add(row.id);
    else if (exact.size === 0 && beginsWord(row.name, wanted)) begun.add(row.id);
  }
  return exact.size > 0 ? exact : begun;
}

function named<T>(all: readonly T[], names: (one: T) => readonly string[], value: string): T[] {
  const wanted = fold(value);
  const exact = all.filter((one) => names(one).some((name) => fold(name) === wanted));
  return exact.length > 0 ? exact : all.filter((one) => names(one).some((name) => beginsWord(fold(name), wanted)));
}

function tagTest(value: string, world: World): Test {
  const ids = new Set<string>();
  for (const one of value.split(',').filter((part) => part.trim() !== '')) {
    const found = one.startsWith('tag_')
      ? world.tags.filter((tag) => tag.id === one || tag.merged_ids.includes(one))
      : named(world.tags, (tag) => [tag.name], one.trim());
    for (const tag of found) for (const id of [tag.id, ...tag.merged_ids]) ids.add(id);
  }
  return (row) => row.tags.some((id) => ids.has(id));
}

function ownerTest(value: string, world: World): Test {
  const mine = selfWords.has(fold(value));
  const ids = new Set(
    (mine
      ? world.spaces.filter((space) => space.owner === world.me)
      : named(world.spaces, (space) => space.owners, value)
    ).map((space) => space.id),
  );
  return (row) => ids.has(row.space);
}

function stateTest(state: State, world: World): Test {
  if (state === 'favourite') return (row) => world.stars.has(row.id);
  if (state === 'shared') {
    const inside = within(world.shared, world);
    return (row) => world.shared.has(row.id) || inside(row);
  }
  // What was deleted is no part of the tree: it is asked for elsewhere, and here nothing is.
  return nothing;
}

const tests: Record<Operator, (value: string, world: World) => Test> = {
  kind: (value) => {
    const kinds = new Set(value.split(',').flatMap((one) => meanings(kindWords, one.trim())));
    return (row) => kinds.has(row.kind);
  },
  tag: tagTest,
  in: (value, world) => within(foldersNamed(value, world), world),
  space: (value, world) => {
    const ids = new Set(
      (value.startsWith('spc_')
        ? world.spaces.filter((space) => space.id === value)
        : named(world.spaces, (space) => space.names, value)
      ).map((space) => space.id),
    );
    return (row) => ids.has(row.space);
  },
  owner: ownerTest,
  size: (value) => {
    const range = sizesOf(value);
    return range ? (row) => row.size !== null && row.size >= range.from && row.size <= range.to : nothing;
  },
  before: (value, { now }) => {
    const range = timesOf(value, now);
    return range ? (row) => row.modified < range.from : nothing;
  },
  after: (value, { now }) => {
    const range = timesOf(value, now);
    return range ? (row) => row.modified >= range.from : nothing;
  },
  modified: (value, { now }) => {
    const range = timesOf(value, now);
    return range ? (row) => row.modified >= range.from && row.modified < range.to : nothing;
  },
  created: (value, { now }) => {
    const range = timesOf(value, now);
    return range ? (row) => row.created >= range.from && row.created < range.to : nothing;
  },
  is: (value, world) => {
    const all = meanings(stateWords, value).map((state) => stateTest(state, world));
    return all.length > 0 ? (row) => all.some((test) => test(row)) : nothing;
  },
};

/** Several of these mean any of them, as an entry has only one; of the others all have to hold. */
const oneOf: ReadonlySet<Operator> = new Set(['kind', 'in', 'space', 'owner']);

/** The rank of an entry that is asked for, or -1. A query without anything in it asks for nothing. */
export function compile(tokens: readonly Token[], world: World): (row: Row) => number {
  const words: string[] = [];
  const without: Test[] = [];
  const all: Test[] = [];
  const any = new Map<Operator, Test[]>();
  for (const { op, value, not } of tokens) {
    // An operator that is still being typed says nothing yet.
    if (value === '') continue;
    if (op === null) {
      const text = fold(value);
      if (not) without.push((row) => row.name.includes(text));
      else words.push(text);
      continue;
    }
    const test = tests[op](value, world);
    if (not) without.push(test);
    else if (oneOf.has(op)) any.set(op, [...(any.get(op) ?? []), test]);
    else all.push(test);
  }
  if (words.length === 0 && without.length === 0 && all.length === 0 && any.size === 0) return () => -1;
  for (const several of any.values()) all.push((row) => several.some((test) => test(row)));
  if (world.gone.size > 0) without.push(within(world.gone, world));
  const whole = words.join(' ');
  return (row) => {
    const rank = words.length === 0 ? ranks.exact : rankOf(row, words, whole);
    if (rank < 0 || !all.every((test) => test(row)) || without.some((test) => test(row))) return -1;
    return rank;
  };
}

function rankOf(row: Row, words: readonly string[], whole: string): number {
  const { name } = row;
  if (!words.every((word) => name.includes(word)))
    return row.description !== '' && words.every((word) => name.includes(word) || row.description.includes(word))
      ? ranks.description
      : -1;
  if (name === whole || row.stem === whole) return ranks.exact;
  if (name.startsWith(whole)) return ranks.prefix;
  return words.every((word) => beginsWord(name, word)) ? ranks.words : ranks.inside;
}
