// What all calls of the outbox share: how an operation is named, how its base is, and what is left of an entry.
import { api, take } from '@/api/client';
import { isProblem } from '@/api/problem';
import type { Entry } from '../db';
import type { Op } from './ops';
import type { Outcome } from './send';

export const etag = (revision: number) => `"${revision}"`;
/** By this the server knows an operation again: sent once more, because its answer was lost, it is answered as it was. */
export const named = (op: Op) => ({ 'Operation-Id': op.id });
/** How often a name or revision may be taken from under us before we stop and say so. */
export const maxRaces = 5;

/** What the server still knows of an entry that may be in the trash. */
export type Found = Entry & { trashed?: boolean };

export async function fetchEntry(id: string): Promise<Found | null> {
  try {
    return await take(api.GET('/api/v1/entries/{id}', { params: { path: { id } } }));
  } catch (error) {
    if (isProblem(error, 'not-found')) return null;
    throw error;
  }
}

/** What it was meant for is not there any more; from the trash it can be had back. */
export function gone(name: string, now: Found | null): Outcome {
  if (!now?.trashed) return { entry: null, note: { code: 'gone', name } };
  const was = { ...now };
  delete was.trashed;
  return { entry: null, note: { code: 'gone', name, was } };
}
