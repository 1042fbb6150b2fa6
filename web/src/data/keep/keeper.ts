// Brings what was chosen to this device and keeps it in step: after each change, whatever made it. One tab works for all.
import { liveQuery, type Subscription } from 'dexie';
import { reactive, watch } from 'vue';
import { openBytes } from '@/api/files';
import { isProblem } from '@/api/problem';
import type { DriveDb, Entry } from '../db';
import type { Drive } from '../drive';
import { planOf } from './plan';
import { canKeep, listKept, removeKept, writeKept } from './store';

const budgetKey = 'holdfast.keep.budget';
export const budgets = [500e6, 1e9, 5e9, 20e9, 100e9] as const;
const firstBudget = 1e9;
const retryMs = 15_000;

export function budgetNow(): number {
  const stored = Number(localStorage.getItem(budgetKey));
  return stored > 0 ? stored : firstBudget;
}

/** The files below what was chosen. */
export async function wantedFiles(db: DriveDb): Promise<Entry[]> {
  const files = new Map<string, Entry>();
  let level = await db.pins.toCollection().primaryKeys();
  const seen = new Set(level);
  for (const entry of await db.entries.bulkGet(level)) if (entry?.kind === 'file') files.set(entry.id, entry);
  while (level.length > 0) {
    const below = await db.entries.where('parent_id').anyOf(level).toArray();
    level = [];
    for (const entry of below) {
      if (entry.kind === 'file') files.set(entry.id, entry);
      else if (!seen.has(entry.id)) {
        seen.add(entry.id);
        level.push(entry.id);
      }
    }
  }
  return [...files.values()];
}

export class Keeper {
  readonly state = reactive({
    busy: false,
    /** Files that are still to come, and those that the room is too small for. */
    left: 0,
    beyond: 0,
    /** Files that this browser had cleared by itself. */
    evicted: 0,
  });
  private readonly stop = new AbortController();
  private readonly follow: Subscription;
  private again = false;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private checked = false;

  constructor(private readonly drive: Drive) {
    // What is wanted changes with the choice and with every change of the tree.
    this.follow = liveQuery(() => wantedFiles(drive.db)).subscribe(() => void this.run());
    const unwatch = watch(
      () => drive.sync.state.link,
      (link) => link === 'online' && void this.run(),
    );
    this.stop.signal.addEventListener('abort', unwatch);
  }

  close(): void {
    this.stop.abort();
    this.follow.unsubscribe();
    clearTimeout(this.timer);
  }

  setBudget(bytes: number): void {
    localStorage.setItem(budgetKey, String(bytes));
    void this.run();
  }

  async run(): Promise<void> {
    if (!canKeep() || this.stop.signal.aborted) return;
    this.again = true;
    if (this.state.busy) return;
    this.state.busy = true;
    try {
      while (this.again && !this.stop.signal.aborted) {
        this.again = false;
        await this.alone(() => this.round());
      }
    } catch (error) {
      if (!this.stop.signal.aborted) {
        if (!isProblem(error)) console.warn('a file could not be kept', error);
        clearTimeout(this.timer);
        this.timer = setTimeout(() => void this.run(), retryMs);
      }
    } finally {
      this.state.busy = false;
    }
  }

  private async alone(work: () => Promise<void>): Promise<void> {
    if (!('locks' in navigator)) return work();
    await navigator.locks.request(`${this.drive.db.name}-keep`, { signal: this.stop.signal }, work);
  }

  private async round(): Promise<void> {
    const { db, user } = this.drive;
    if (!this.checked) await this.findEvicted();
    const plan = planOf(await wantedFiles(db), await db.kept.toArray(), budgetNow());
    for (const row of plan.remove) {
      await db.kept.delete(row.id);
      await removeKept(user.id, row.id);
    }
    this.state.beyond = plan.beyond.length;
    this.state.left = plan.fetch.length;
    for (const entry of plan.fetch) {
      if (this.again || this.stop.signal.aborted) return;
      await this.fetch(entry);
      this.state.left -= 1;
    }
  }

  private async fetch(entry: Entry): Promise<void> {
    const { db, user } = this.drive;
    const response = await openBytes(entry.id, this.stop.signal).catch((error: unknown) => {
      // It is gone or no longer ours: the sync will say so.
      if (isProblem(error) && !error.passing) return null;
      throw error;
    });
    // Another version than the one that is known here: that comes with the next pull.
    if (!response?.body || response.headers.get('etag') !== entry.etag) return;
    const size = await writeKept(user.id, entry.id, response.body, this.stop.signal);
    if (size !== entry.size || !entry.version_id) return;
    await db.kept.put({ id: entry.id, version: entry.version_id, size, at: new Date().toISOString() });
  }

  /** A browser short of room clears what pages have kept. What is gone is told, and fetched again. */
  private async findEvicted(): Promise<void> {
    const there = await listKept(this.drive.user.id);
    const gone = (await this.drive.db.kept.toArray()).filter((row) => !there.has(row.id));
    await this.drive.db.kept.bulkDelete(gone.map((row) => row.id));
    this.state.evicted = gone.length;
    this.checked = true;
  }
}

let current: { drive: Drive; keeper: Keeper } | null = null;
/** The one keeper of a drive, begun when it is first asked for. */
export function keeperOf(drive: Drive): Keeper {
  if (current?.drive !== drive) {
    current?.keeper.close();
    current = { drive, keeper: new Keeper(drive) };
  }
  return current.keeper;
}
