// A space as those see it who look after all of them: sizes and names, and nothing that is in it.
import type { Schemas } from '@/api/client';

export type Space = Schemas['OverseenSpace'];

/** People are found by their names, teams by those of their spaces. */
export const spaceName = (space: Pick<Space, 'kind' | 'name' | 'owner_display_name'>) =>
  space.kind === 'personal' ? space.owner_display_name : space.name;

/** How full it is, from 0 to 1, with what uploads under way will need; null where there is no bound. */
export function fullness(space: Pick<Space, 'used_bytes' | 'reserved_bytes' | 'quota_bytes'>): number | null {
  if (space.quota_bytes === null) return null;
  const taken = space.used_bytes + space.reserved_bytes;
  return space.quota_bytes === 0 ? Math.min(1, taken) : taken / space.quota_bytes;
}
export const isOrphan = (space: Pick<Space, 'kind' | 'managers'>) => space.kind === 'team' && space.managers === 0;
/** Of the bar that shows how full something is. */
export const toneOf = (share: number | null) =>
  share !== null && share > 0.95 ? 'danger' : share !== null && share > 0.8 ? 'accent' : 'quiet';
