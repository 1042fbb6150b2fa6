// What the signed-in account may do with an entry, as far as this device knows.
import { roles, type DriveDb, type Role } from './db';
import * as read from './read';

const rank = (role: Role | undefined) => (role === undefined ? -1 : roles.indexOf(role));
export const atLeast = (role: Role | null | undefined, wanted: Role) => rank(role ?? undefined) >= rank(wanted);
export const greater = (a: Role | undefined, b: Role | undefined) => (rank(a) >= rank(b) ? a : b);

/**
 * The greatest of the roles that were given on the way up. Roles that a group has further down in a team's space are known
 * to the server alone, so this may be too small, and never too great for longer than a pull takes.
 */
export async function roleOf(db: DriveDb, id: string): Promise<Role | null> {
  const path = await read.trail(db, id);
  const top = path[0];
  if (!top) return null;
  const space = await db.spaces.get(top.space_id);
  // A space that was learned before there were roles is one's own.
  let role: Role | undefined = space?.partial ? undefined : (space?.role ?? 'manager');
  const given = await db.shared
    .where('entry_id')
    .anyOf(path.map((step) => step.id))
    .toArray();
  for (const { role: one } of given) role = greater(one, role);
  return role ?? null;
}
