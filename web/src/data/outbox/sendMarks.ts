// Tags, favourites, descriptions and properties on their way to the server.
import { api, take } from '@/api/client';
import { isProblem, Problem } from '@/api/problem';
import type { Entry } from '../db';
import { etag, fetchEntry, gone, maxRaces, named } from './call';
import type { Describe, Op, Starring, Tagging } from './ops';
import type { Outcome } from './send';

export async function sendTag(op: Tagging): Promise<Outcome> {
  try {
    const { items } = await take(
      api.POST('/api/v1/tags/{id}/entries', {
        params: { path: { id: op.tag }, header: named(op) },
        body: op.on ? { put_on: op.entries, take_off: [] } : { put_on: [], take_off: op.entries },
      }),
    );
    return { entry: null, others: items };
  } catch (error) {
    // One of them is gone, which holds up none of the others; or the tag is.
    if (!isProblem(error, 'not-found') && !isProblem(error, 'in-trash')) throw error;
    return each(op, op.on ? 'tag' : 'untag', { tag_id: op.tag });
  }
}

export const sendStar = (op: Starring): Promise<Outcome> => each(op, op.on ? 'favourite' : 'unfavourite', {});

/** Each by itself. What is gone is left out, and told; what is refused although it is there is for a person. */
async function each(op: Tagging | Starring, what: string, more: { tag_id?: string }): Promise<Outcome> {
  const { items } = await take(
    api.POST('/api/v1/bulk', {
      params: { header: named(op) },
      body: { items: op.entries.map((id) => ({ do: what, id, ...more })) },
    }),
  );
  const others: Entry[] = [];
  let left: Outcome | null = null;
  for (const one of items) {
    if (!one.error) continue;
    const now = await fetchEntry(one.id);
    if (now && !now.trashed) {
      const { status, code, detail, title } = one.error;
      // What nobody has any more needs not be taken away.
      if (!op.on && code === 'not-found') others.push(now);
      else throw new Problem(status, code, detail ?? title);
    } else if (op.on) left = gone(now?.name ?? op.name, now);
  }
  return { entry: null, others, ...(left?.note ? { note: left.note } : {}) };
}

const sameText = (a: string | null | undefined, b: string | null | undefined) => (a ?? '') === (b ?? '');
const sameValue = (a: unknown, b: unknown) => JSON.stringify(a ?? null) === JSON.stringify(b ?? null);

type Side = Pick<Entry, 'description' | 'properties'>;

/** Whether somebody changed just what is changed here. */
export function clashes(op: Describe, now: Side): boolean {
  if (op.description !== undefined && !sameText(now.description, op.before.description)) return true;
  return Object.keys(op.properties ?? {}).some((key) => !sameValue(now.properties?.[key], op.before.properties[key]));
}

/** Whether all of it is so already. */
function isDone(op: Describe, now: Side): boolean {
  if (op.description !== undefined && !sameText(now.description, op.description)) return false;
  return Object.entries(op.properties ?? {}).every(([key, value]) => sameValue(now.properties?.[key], value));
}

export async function sendDescribe(op: Describe): Promise<Outcome> {
  let { revision } = op.before;
  for (let race = 0; ; race += 1) {
    try {
      const entry = await take(
        api.PATCH('/api/v1/entries/{id}', {
          params: { path: { id: op.entry }, header: { ...named(op), 'If-Match': etag(revision) } },
          body: {
            ...(op.description === undefined ? {} : { description: op.description }),
            // The description knows no null here, the server does.
            ...(op.properties ? { properties: op.properties as never } : {}),
          },
        }),
      );
      return { entry };
    } catch (error) {
      const moved = isProblem(error, 'precondition-failed');
      if (race >= maxRaces || !(moved || isProblem(error, 'not-found') || isProblem(error, 'in-trash'))) throw error;
      const now = await fetchEntry(op.entry);
      if (!now || now.trashed) return gone(op.before.name, now);
      if (!moved) throw error;
      if (isDone(op, now)) return { entry: now };
      // A rename, a move, new bytes, or another property: both stay.
      if (clashes(op, now))
        return {
          entry: now,
          conflict: {
            revision: now.revision,
            at: new Date().toISOString(),
            description: now.description ?? null,
            properties: now.properties ?? {},
          },
        };
      revision = now.revision;
    }
  }
}

/** The same change on top of what the others made of it: ours stays. */
export function onTopOf(op: Describe): Op {
  const { theirs } = op.failure ?? {};
  const { revision, description = null, properties = {} } = theirs ?? {};
  return { ...op, before: { ...op.before, revision: revision ?? op.before.revision, description, properties } };
}
