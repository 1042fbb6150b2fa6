// The small pictures that were made, kept on this device by the version of the file: they are there without a connection,
// and no picture is fetched twice for one. A database of its own for each account, apart from what the drive reads.
import Dexie, { type EntityTable } from 'dexie';

export interface Kept {
  /** Of the file: other bytes are another version. */
  version: string;
  /** Null where none can be made of it, so that it is not tried again. */
  picture: Blob | null;
  /** Of the original. */
  width: number;
  height: number;
  /** How long a film runs. */
  seconds: number | null;
  bytes: number;
  /** When it was last looked at, in milliseconds since 1970; a day more or less does not matter. */
  usedAt: number;
}

/** What all of them may take together. When it is used up, those that were not looked at for longest go. */
export const budgetBytes = 96_000_000;
/** Room is made down to this share, so that it is not made for each single one. */
const after = 0.9;
/** What a row takes beside its picture, so that rows without one are bounded too. */
const rowBytes = 200;
const dayMs = 86_400_000;
/** That none can be made may have been for want of memory: it is tried again. */
const noneMs = 7 * dayMs;

export class Store extends Dexie {
  private kept!: EntityTable<Kept, 'version'>;
  private total: Promise<number> | null = null;

  constructor(
    account: string,
    private readonly budget = budgetBytes,
  ) {
    super(`holdfast-thumbs-${account}`);
    this.version(1).stores({ kept: 'version, [usedAt+bytes]' });
  }

  async find(version: string): Promise<Kept | null> {
    const row = await this.kept.get(version);
    const age = row ? Date.now() - row.usedAt : 0;
    if (row && !row.picture) return age < noneMs ? row : null;
    if (row && age > dayMs) await this.kept.update(version, { usedAt: Date.now() });
    return row ?? null;
  }

  async put(row: Omit<Kept, 'bytes' | 'usedAt'>): Promise<void> {
    const bytes = rowBytes + (row.picture?.size ?? 0);
    const before = await this.size();
    await this.kept.put({ ...row, bytes, usedAt: Date.now() });
    this.total = Promise.resolve(before + bytes);
    if (before + bytes > this.budget) await this.makeRoom();
  }

  /** Takes all of them away. */
  async empty(): Promise<void> {
    await this.kept.clear();
    this.total = null;
  }

  /** What they take together, read from the index alone. */
  size(): Promise<number> {
    this.total ??= this.kept
      .orderBy('[usedAt+bytes]')
      .keys()
      .then((keys) => (keys as unknown as [number, number][]).reduce((sum, [, bytes]) => sum + bytes, 0));
    return this.total;
  }

  private async makeRoom(): Promise<void> {
    this.total = null;
    let size = await this.size();
    const wanted = this.budget * after;
    const gone: string[] = [];
    await this.kept.orderBy('[usedAt+bytes]').eachKey((key, cursor) => {
      if (size <= wanted) return;
      size -= (key as unknown as [number, number])[1];
      gone.push(cursor.primaryKey);
    });
    await this.kept.bulkDelete(gone);
    this.total = null;
  }
}
