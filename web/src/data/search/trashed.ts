// The same language for what was deleted, whose entries come from the server.
import type { Entry } from '../db';
import type { Drive } from '../drive';
import { rowOf } from './match';
import { SearchIndex } from './searchIndex';
import { readFacts, withOwn } from './facts';
import type { Token } from './query';

/** The ids of the entries that are asked for, in their order; without anything asked for, all of them. */
export async function findTrashed(
  drive: Drive,
  entries: readonly Entry[],
  tokens: readonly Token[],
  own: string,
): Promise<string[]> {
  if (tokens.every((token) => token.value === '')) return entries.map((entry) => entry.id);
  const index = new SearchIndex();
  // A folder of the trash is no part of the tree any more; for the index everything without a folder is a root.
  index.putRows(entries.map((entry) => ({ ...rowOf(entry), parent: entry.parent_id ?? 'trash' })));
  const facts = await readFacts(drive.db, drive.user.id);
  const world = { ...facts, now: Date.now(), gone: new Set<string>() };
  const looking = index.find(tokens, withOwn(world, drive.user.space_id, own), { sort: 'rank', descending: false });
  let step = looking.next();
  while (!step.done) step = looking.next();
  return step.value;
}
