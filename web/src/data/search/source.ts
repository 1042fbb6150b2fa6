// Keeps the rows of the search in step with the local database, with the waiting operations played on top. It runs in a
// worker: reading a hundred thousand entries takes a second, and none of that may be felt on the page.
import Dexie from 'dexie';
import type { DriveDb, Entry } from '../db';
import type { Op } from '../outbox/ops';
import { touches } from '../outbox/refers';
import { Projection, type Item } from '../project';
import { readFacts, withOwn, type Facts } from './facts';
import type { World } from './match';
import { SearchIndex } from './searchIndex';

const pageSize = 5_000;
/** Changes come in bursts; a whole reading waits until one is over. */
const restMs = 250;
/** While everything is read for the first time, what is there already can be found. */
const rowsPerNews = 20_000;

/** Sets of ranges as the database tells what was changed: a tree, of which only this much is used. */
interface Ranges {
  d?: number;
  from?: unknown;
  to?: unknown;
  l?: Ranges | null;
  r?: Ranges | null;
}

/** The keys that were changed, or null where it was a stretch of them. */
export function keysOf(ranges: Ranges | null | undefined): string[] | null {
  if (!ranges || ranges.from === undefined) return [];
  if (ranges.from !== ranges.to || typeof ranges.from !== 'string') return null;
  const left = keysOf(ranges.l);
  const right = keysOf(ranges.r);
  return left && right && [...left, ranges.from, ...right];
}

/** The ids whose look depends on an operation. */
const touched = (ops: readonly Op[]) => ops.flatMap(touches);

export class SearchSource {
  readonly index = new SearchIndex();
  private view = new Projection([]);
  private overlaid: readonly string[] = [];
  private facts: Facts | null = null;
  /** Whether all of it was read once. */
  complete = false;
  private begun: (() => void) | null = null;
  /** Until there is something that can be looked through. */
  readonly usable = new Promise<void>((resolve) => (this.begun = resolve));
  private readonly stale = { all: true, ids: new Set<string>(), ops: true, facts: true };
  private running: Promise<void> | null = null;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private readonly hear = (parts: Record<string, Ranges>) => this.changed(parts);

  constructor(
    private readonly db: DriveDb,
    private readonly user: string,
    private readonly onChange: () => void,
  ) {
    Dexie.on('storagemutated', this.hear);
  }

  close(): void {
    clearTimeout(this.timer);
    Dexie.on.storagemutated.unsubscribe(this.hear);
    this.db.close();
  }

  private changed(parts: Record<string, Ranges>): void {
    const part = (table: string) => parts[`idb://${this.db.name}/${table}/`];
    const entries = part('entries');
    if (entries || parts.all) {
      const keys = parts.all ? null : keysOf(entries);
      if (keys) for (const key of keys) this.stale.ids.add(key);
      else this.stale.all = true;
    }
    // Favourites that wait to be sent are among the operations.
    if (part('ops')) this.stale.ops = this.stale.facts = true;
    if (['tags', 'stars', 'links', 'shared', 'spaces', 'people'].some((table) => part(table))) this.stale.facts = true;
    const { all, ids, ops, facts } = this.stale;
    if (!all && ids.size === 0 && !ops && !facts) return;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => void this.ready().then(this.onChange, () => undefined), restMs);
  }

  /** Until everything that is known to have changed is read. */
  ready(): Promise<void> {
    const { all, ids, ops, facts } = this.stale;
    if (!this.running && (all || ids.size > 0 || ops || facts))
      this.running = this.read()
        .catch((error: unknown) => {
          // What could not be read is read again with the next change or question.
          Object.assign(this.stale, { all: true, ops: true, facts: true });
          throw error;
        })
        .finally(() => (this.running = null));
    return this.running ?? Promise.resolve();
  }

  private async read(): Promise<void> {
    const { stale } = this;
    // What changes from here on is stale again.
    const wanted = { ...stale, ids: [...stale.ids] };
    Object.assign(stale, { all: false, ops: false, facts: false });
    stale.ids.clear();
    if (wanted.ops) {
      const ops = await this.db.ops.orderBy('seq').toArray();
      this.view = new Projection(ops);
      const now = touched(ops);
      wanted.ids.push(...this.overlaid, ...now);
      this.overlaid = now;
    }
    if (wanted.facts) this.facts = await readFacts(this.db, this.user);
    if (wanted.all) await this.readAll();
    if (wanted.ids.length > 0) {
      const ids = [...new Set(wanted.ids)];
      const items = await this.items(ids);
      const there = new Set(items.map((item) => item.id));
      this.index.put(items);
      this.index.remove(ids.filter((id) => !there.has(id)));
    }
    this.complete = true;
    this.begun?.();
  }

  private async readAll(): Promise<void> {
    const seen = new Set<string>();
    let after: string | null = null;
    for (;;) {
      const from = after === null ? this.db.entries.orderBy(':id') : this.db.entries.where(':id').above(after);
      const page: Entry[] = await from.limit(pageSize).toArray();
      const items = page.map((entry) => this.view.apply(entry)).filter((item) => item !== null);
      for (const item of items) seen.add(item.id);
      this.index.put(items);
      this.begun?.();
      if (!this.complete && seen.size % rowsPerNews < pageSize && page.length === pageSize) this.onChange();
      after = page.at(-1)?.id ?? null;
      if (page.length < pageSize) break;
    }
    const made = this.overlaid.filter((id) => this.view.madeHere(id));
    for (const id of made) seen.add(id);
    this.index.put(made.map((id) => this.view.madeHere(id)!));
    this.index.keep(seen);
  }

  world(now: number, ownSpace: string, ownName: string): Omit<World, 'row' | 'rows'> {
    return { ...withOwn(this.facts!, ownSpace, ownName), now, gone: this.view.gone };
  }

  /** Entries as they are shown, in the order of the ids; what is gone is left out. */
  async items(ids: readonly string[]): Promise<Item[]> {
    const entries = await this.db.entries.bulkGet([...ids]);
    return entries
      .map((entry, at) => (entry ? this.view.apply(entry) : this.view.madeHere(ids[at]!)))
      .filter((item) => item !== null);
  }
}
