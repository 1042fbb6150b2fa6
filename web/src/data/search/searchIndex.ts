// All entries that this device knows, as rows that are looked through for each query. Looking through a hundred thousand of
// them takes some tens of milliseconds, which is why it is done in a worker and in pieces: between two of them a newer query
// may take the place of this one.
import type { Item } from '../project';
import { compile, orderOf, rowOf, type Row, type World } from './match';
import type { Token } from './query';

export const sortings = ['rank', 'name', 'modified', 'created', 'kind', 'size'] as const;
export type Sorting = (typeof sortings)[number];
export interface Ordering {
  sort: Sorting;
  descending: boolean;
}

const rowsPerPiece = 20_000;

interface Hit {
  row: Row;
  rank: number;
}
const text = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);
const folders = (a: Row, b: Row) => Number(b.kind === 'folder') - Number(a.kind === 'folder');
const byName = (a: Row, b: Row) => text(orderOf(a), orderOf(b)) || text(a.id, b.id);

/** What fits better comes first, then folders, then the shorter name. Without words nothing fits better: the newest first. */
const byRank = (hasWords: boolean) => (a: Hit, b: Hit) =>
  hasWords
    ? a.rank - b.rank || folders(a.row, b.row) || a.row.name.length - b.row.name.length || byName(a.row, b.row)
    : b.row.modified - a.row.modified || byName(a.row, b.row);

const comparers: Record<Exclude<Sorting, 'rank'>, (a: Row, b: Row) => number> = {
  name: byName,
  modified: (a, b) => a.modified - b.modified,
  created: (a, b) => a.created - b.created,
  kind: (a, b) => text(a.kind, b.kind),
  size: (a, b) => (a.size ?? -1) - (b.size ?? -1),
};

function sorted(hits: Hit[], { sort, descending }: Ordering, hasWords: boolean): Hit[] {
  const sign = descending ? -1 : 1;
  if (sort === 'rank') {
    hits.sort(byRank(hasWords));
    return descending ? hits.toReversed() : hits;
  }
  const compare = comparers[sort];
  return hits.sort((a, b) => folders(a.row, b.row) || sign * compare(a.row, b.row) || byName(a.row, b.row));
}

export class SearchIndex {
  private readonly rows = new Map<string, Row>();

  get size(): number {
    return this.rows.size;
  }

  /** Roots have no name to be found by, but they are on the way from what is in them. */
  put(items: Iterable<Item>): void {
    for (const item of items) this.rows.set(item.id, rowOf(item));
  }
  putRows(rows: Iterable<Row>): void {
    for (const row of rows) this.rows.set(row.id, row);
  }
  remove(ids: Iterable<string>): void {
    for (const id of ids) this.rows.delete(id);
  }
  /** Forgets all others. */
  keep(ids: ReadonlySet<string>): void {
    for (const id of this.rows.keys()) if (!ids.has(id)) this.rows.delete(id);
  }

  /** Yields between pieces; returns the ids that were found, in their order. */
  *find(
    tokens: readonly Token[],
    world: Omit<World, 'row' | 'rows'>,
    order: Ordering,
  ): Generator<undefined, string[], undefined> {
    const test = compile(tokens, { ...world, row: (id) => this.rows.get(id), rows: () => this.rows.values() });
    const hits: Hit[] = [];
    let seen = 0;
    for (const row of this.rows.values()) {
      seen += 1;
      if (seen % rowsPerPiece === 0) yield;
      if (row.parent === null) continue;
      const rank = test(row);
      if (rank >= 0) hits.push({ row, rank });
    }
    yield;
    const hasWords = tokens.some((token) => token.op === null && !token.not);
    return sorted(hits, order, hasWords).map((hit) => hit.row.id);
  }
}
