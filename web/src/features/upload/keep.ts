// The queue in the local database, so that uploads outlive the page. A tab keeps its own rows; those of a tab that is gone
// are taken over by the next one.
import type { DriveDb, KeptUpload } from '@/data/db';
import type { UploadRow } from './rows';
import { fingerprint, type Handle } from './source';

/** Files without a handle are kept themselves up to this size, and together up to the second: above, a second copy on the
 * device costs more than picking the file again. */
const keptFileBytes = 8 * 1024 * 1024;
const keptTotalBytes = 128 * 1024 * 1024;

const tab = crypto.randomUUID();
const lockOf = (id: string) => `holdfast-uploads-${id}`;
let announced = false;
/** Missing on a page that came without TLS. */
const { locks } = navigator as { locks?: LockManager | null };

/** Holds a lock for as long as this tab lives: how the others know that its rows are cared for. */
function announce(): void {
  if (announced || !locks) return;
  announced = true;
  void locks.request(lockOf(tab), () => new Promise<never>(() => undefined));
}

export interface Bytes {
  file: File;
  handle?: Handle;
}

export class Keep {
  private kept = 0;
  constructor(private readonly db: DriveDb) {}

  async add(rows: readonly { row: UploadRow; bytes: Bytes }[]): Promise<void> {
    announce();
    const bare = rows.map(({ row }): KeptUpload => ({ ...plain(row), tab, print: null }));
    const list = rows.map(({ row, bytes }, at): KeptUpload => {
      const whole = !bytes.handle && row.size <= keptFileBytes && this.kept + row.size <= keptTotalBytes;
      if (whole) this.kept += row.size;
      return {
        ...bare[at]!,
        ...(bytes.handle ? { handle: bytes.handle } : {}),
        ...(whole ? { file: bytes.file } : {}),
      };
    });
    try {
      await this.db.uploads.bulkPut(list);
    } catch {
      // Handles of some origins cannot be stored, and a device may be full: the row alone still says what to pick again.
      await this.db.uploads.bulkPut(bare).catch(() => undefined);
    }
  }

  /** Whether the upload would go on by itself, or after one click, if the page went away now. */
  async survives(ids: readonly string[]): Promise<boolean> {
    const rows = await this.db.uploads.bulkGet([...ids]);
    return rows.every((row) => row !== undefined && (row.file !== undefined || row.handle !== undefined));
  }

  async update(rows: readonly UploadRow[]): Promise<void> {
    const over = (row: UploadRow) => row.state === 'done' || row.state === 'skipped';
    await this.db.transaction('rw', this.db.uploads, async () => {
      await this.db.uploads.bulkDelete(rows.filter(over).map((row) => row.id));
      // One that was forgotten meanwhile is not brought back by this.
      await this.db.uploads.bulkUpdate(
        rows.filter((row) => !over(row)).map((row) => ({ key: row.id, changes: plain(row) })),
      );
    });
  }

  /** Remembers what the bytes are, before the first of them are sent by pieces. */
  async mark(id: string, file: File): Promise<void> {
    // A page that came without TLS has no hashes; then the time of the file has to do.
    if (!globalThis.crypto.subtle || (await this.db.uploads.get(id))?.print) return;
    await this.db.uploads.update(id, { print: await fingerprint(file) });
  }

  async get(id: string): Promise<KeptUpload | undefined> {
    return this.db.uploads.get(id);
  }

  async forget(ids: readonly string[]): Promise<void> {
    await this.db.uploads.bulkDelete([...ids]);
  }

  /** The rows of tabs that are gone, which are this one's from now on; and this tab's own, which it may have put away since
   * with the account. */
  async adopt(): Promise<KeptUpload[]> {
    announce();
    const held = (await locks?.query())?.held ?? [];
    const alive = new Set(held.map((lock) => lock.name));
    return this.db.transaction('rw', this.db.uploads, async () => {
      const all = await this.db.uploads.toArray();
      const orphans = all.filter((row) => row.tab !== tab && !alive.has(lockOf(row.tab)));
      for (const row of orphans) row.tab = tab;
      await this.db.uploads.bulkPut(orphans);
      return all.filter((row) => row.tab === tab);
    });
  }
}

/** What of a row is written down: no problem, whose class the database would lose. */
export function plain(row: Omit<UploadRow, 'problem'>): Omit<KeptUpload, 'tab' | 'print' | 'file' | 'handle'> {
  const { id, entry, operation, name, size, type, modified, parent, folder, group, state, sent, onConflict, url } = row;
  return {
    id,
    entry,
    operation,
    name,
    size,
    type,
    modified,
    parent,
    folder,
    group: group && { ...group },
    state,
    sent,
    onConflict,
    url,
  };
}
