// What a query may speak of beside the entries: tags, favourites, what is shared, spaces and whose they are.
import type { DriveDb } from '../db';
import { starred } from '../read';
import type { World } from './match';

export type Facts = Omit<World, 'now' | 'row' | 'rows' | 'gone'>;

export async function readFacts(db: DriveDb, user: string): Promise<Facts> {
  const [tags, stars, links, shared, spaces, people] = await Promise.all([
    db.tags.toArray(),
    starred(db),
    db.links.toArray(),
    db.shared.toArray(),
    db.spaces.toArray(),
    db.people.toArray(),
  ]);
  const nameOf = new Map(people.map((one) => [one.id, one.name]));
  return {
    me: user,
    tags,
    stars,
    shared: new Set([...links, ...shared].map((one) => one.entry_id)),
    spaces: spaces.map((space) => {
      const givers = shared.filter((row) => row.space_id === space.id).map((row) => row.shared_by);
      const owner = space.owner_id ?? (space.partial ? (givers[0]?.id ?? null) : user);
      const owners = [nameOf.get(owner ?? ''), ...givers.flatMap((giver) => [giver.display_name, giver.name])];
      return { id: space.id, names: [space.name], owner, owners: owners.filter((name) => typeof name === 'string') };
    }),
  };
}

/** One's own space has no name but what it is called in the language of the page. */
export const withOwn = <T extends Facts>(facts: T, ownSpace: string, ownName: string): T => ({
  ...facts,
  spaces: facts.spaces.map((space) => (space.id === ownSpace ? { ...space, names: [...space.names, ownName] } : space)),
});
