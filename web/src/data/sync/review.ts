// What happened on both sides of a time without connection. It is gathered while the two are brought together, and kept
// until a person has looked: what was decided by rule is told, with both sides of it.
import type { DriveDb, Entry, Review, Seen, Sent } from '../db';
import type { Op } from '../outbox/ops';
import type { Outcome } from '../outbox/send';

/** Changes of others that are kept one by one; more are only counted. */
const maxSeen = 300;
/** Changes that have waited for less than this have only met a slow moment. */
const awayMs = 5_000;

export interface Change {
  kind: string;
  at: string;
  entry_id: string;
  revision: number;
  entry?: Entry | null;
}

export class Away {
  private readonly mine: Sent[] = [];
  private readonly theirs = new Map<string, Seen>();
  private readonly own = new Set<string>();
  private more = 0;

  constructor(private readonly since: string) {}

  /** A change made here has been answered. */
  sent(op: Op, outcome: Outcome): void {
    this.mine.push({ op, entry: outcome.entry, ...(outcome.note ? { note: outcome.note } : {}) });
    // The journal tells our own work too; what it says of these revisions is no news.
    const now = [...(outcome.entry ? [outcome.entry] : []), ...(outcome.others ?? [])];
    for (const entry of now) this.own.add(`${entry.id} ${entry.revision}`);
    if (!outcome.entry && 'entry' in op) this.own.add(op.entry);
  }

  /** Changes that are about to be written down; what was known before them is looked up. */
  async pulled(db: DriveDb, changes: readonly Change[]): Promise<void> {
    const news = changes.filter(
      (change) =>
        !this.own.has(`${change.entry_id} ${change.revision}`) &&
        !(change.entry == null && this.own.has(change.entry_id)),
    );
    const known = await db.entries.bulkGet(news.map((change) => change.entry_id));
    for (const [at, change] of news.entries()) {
      const place = (entry: Entry | null | undefined) =>
        entry ? { name: entry.name, parent: entry.parent_id ?? null } : null;
      const earlier = this.theirs.get(change.entry_id);
      if (!earlier && this.theirs.size >= maxSeen) {
        this.more += 1;
        continue;
      }
      const after = place(change.entry);
      // Made and deleted meanwhile: nothing is left to tell.
      if (earlier && earlier.before === null && after === null) this.theirs.delete(change.entry_id);
      else
        this.theirs.set(change.entry_id, {
          kind: earlier?.before === null ? earlier.kind : change.kind,
          at: change.at,
          entry: change.entry_id,
          before: earlier ? earlier.before : place(known[at]),
          after,
        });
    }
  }

  /** The review of it, or null where there is nothing a person would want to look at. */
  finish(now: number): Review | null {
    const told = this.mine.some((one) => one.note);
    const both = this.mine.length > 0 && this.theirs.size > 0;
    const long = now - new Date(this.since).getTime() >= awayMs;
    if (!told && !(long && both)) return null;
    return {
      from: this.since,
      to: new Date(now).toISOString(),
      mine: this.mine,
      theirs: [...this.theirs.values()],
      more: this.more,
    };
  }
}
