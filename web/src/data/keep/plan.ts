// What is to be on this device, and what of it is not yet: no database and no network here.
import type { Entry, Kept } from '../db';

export interface Plan {
  /** To be fetched, in this order. */
  fetch: Entry[];
  /** Not wanted any more. */
  remove: Kept[];
  /** Wanted, but beyond the room that was given. */
  beyond: Entry[];
  /** Bytes of all that is wanted. */
  wanted: number;
}

/** Small files come first, so that as many as possible are there soon. What is here and right stays, whatever the room. */
export function planOf(wanted: readonly Entry[], kept: readonly Kept[], budget: number): Plan {
  const have = new Map(kept.map((row) => [row.id, row]));
  const want = new Map(wanted.map((entry) => [entry.id, entry]));
  const isRight = (entry: Entry) => have.get(entry.id)?.version === entry.version_id;
  const plan: Plan = { fetch: [], remove: kept.filter((row) => !want.has(row.id)), beyond: [], wanted: 0 };
  let used = 0;
  for (const entry of want.values()) {
    plan.wanted += entry.size ?? 0;
    if (isRight(entry)) used += entry.size ?? 0;
  }
  const missing = [...want.values()].filter((entry) => !isRight(entry));
  for (const entry of missing.sort((a, b) => (a.size ?? 0) - (b.size ?? 0))) {
    used += entry.size ?? 0;
    (used <= budget ? plan.fetch : plan.beyond).push(entry);
  }
  return plan;
}
