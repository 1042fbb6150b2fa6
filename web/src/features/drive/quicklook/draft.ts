// What is being typed, written down as it is typed: a page that is closed or loaded anew loses nothing of it.
import type { DriveDb, TextDraft } from '@/data/db';

export class DraftKeeper {
  private running: Promise<unknown> = Promise.resolve();
  private next: TextDraft | null = null;
  private over = false;

  constructor(
    private readonly db: DriveDb,
    private readonly file: string,
  ) {}

  read(): Promise<TextDraft | undefined> {
    return this.db.drafts.get(this.file);
  }

  /** The newest of what comes while one is being written is written next; those between are not missed by anybody. */
  keep(text: string, from: TextDraft['from']): void {
    const busy = this.next !== null;
    this.next = { id: this.file, text, at: new Date().toISOString(), from };
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
    return this.after(() => this.db.drafts.delete(this.file));
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
