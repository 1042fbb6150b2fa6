// What is being typed, written down as it is typed: a page that is closed or loaded anew loses nothing of it.
import type { DriveDb, TextDraft } from '@/data/db';

export class DraftKeeper {
  private running: Promise<unknown> = Promise.resolve();
  private next: TextDraft | null = null;
  private over = false;
  /** Other pages may edit the file again. */
  release: () => void = () => undefined;

  constructor(
    private readonly db: DriveDb,
    private readonly file: Pick<TextDraft, 'id'> & { name: string },
  ) {}

  /** Resolves when no other page edits the file: two that write one draft would lose what is typed in one of them. */
  hold(signal: AbortSignal): Promise<void> {
    const { locks } = navigator as { locks?: LockManager };
    if (!locks) return Promise.resolve();
    const released = new Promise<void>((resolve) => (this.release = resolve));
    return new Promise((resolve, reject) => {
      const holding = () => {
        resolve();
        return released;
      };
      locks.request(`${this.db.name}-draft-${this.file.id}`, { signal }, holding).catch(reject);
    });
  }

  read(): Promise<TextDraft | undefined> {
    return this.db.drafts.get(this.file.id);
  }

  /** The newest of what comes while one is being written is written next; those between are not missed by anybody. */
  keep(text: string, from: TextDraft['from']): void {
    const busy = this.next !== null;
    this.next = { ...this.file, text, at: new Date().toISOString(), from };
    if (!busy) void this.after(() => this.write());
  }

  private async write(): Promise<void> {
    const row = this.next;
    this.next = null;
    if (row && !this.over) await this.db.drafts.put(row);
  }

  /** It is saved, or a person does not want it. */
  drop(): Promise<unknown> {
    this.next = null;
    return this.after(() => this.db.drafts.delete(this.file.id));
  }

  /** Nothing that is still to be written comes after the end. */
  async end(): Promise<void> {
    this.over = true;
    await this.drop();
  }

  private after(work: () => Promise<unknown>): Promise<unknown> {
    this.running = this.running.then(work).catch((error: unknown) => console.warn('a draft could not be kept', error));
    return this.running;
  }
}
