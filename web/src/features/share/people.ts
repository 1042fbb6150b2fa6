// Roles that people have, as they are asked for, given and shown.
import { api, take, type Schemas } from '@/api/client';
import type { Role } from '@/data/db';
import type { Grant } from '@/data/grants';
import { i18n } from '@/i18n';

export { endOfGrant, nameOfSubject, type Grant } from '@/data/grants';
export type Subject = Schemas['Subject'];
/** A person or group, as the search names them. */
export type Found = Schemas['FoundPerson'];

/** Whom a role can be given to. */
export interface Candidate {
  kind: 'user' | 'group' | 'everyone';
  id: string | null;
  name: string;
  /** The version of their picture. */
  picture: string | null;
  detail: string;
}

const dayMs = 86_400_000;
export const spans = { day: dayMs, week: 7 * dayMs, month: 30 * dayMs };

/** Those who can still be given a role, with everyone where that fits what is looked for. */
export function candidatesOf(people: readonly Found[], given: readonly Grant[], query: string): Candidate[] {
  const { t } = i18n.global;
  const has = new Set(given.filter((grant) => !grant.inherited).map(({ subject }) => subject.id ?? subject.kind));
  const found = people
    .filter((person) => !has.has(person.id))
    .map((person): Candidate => ({
      kind: person.kind === 'group' ? 'group' : 'user',
      id: person.id,
      name: person.display_name || person.name,
      picture: person.picture,
      detail: person.kind === 'group' ? t('people.group') : person.name,
    }));
  const all = t('people.everyone');
  const fits = all
    .toLocaleLowerCase()
    .split(/\s+/)
    .some((word) => word.startsWith(query.trim().toLocaleLowerCase()));
  return fits && !has.has('everyone')
    ? [...found, { kind: 'everyone', id: null, name: all, picture: null, detail: '' }]
    : found;
}

export const findPeople = async (query: string, signal: AbortSignal) =>
  (await take(api.GET('/api/v1/people', { params: { query: { query, limit: 20 } }, signal }))).items;

export const grantsOf = async (entry: string) =>
  (await take(api.GET('/api/v1/entries/{id}/grants', { params: { path: { id: entry } } }))).items;

export const roleOn = async (entry: string) =>
  (await take(api.GET('/api/v1/entries/{id}', { params: { path: { id: entry } } }))).role as Role;

export const give = (entry: string, to: Candidate, role: Role) =>
  take(
    api.PUT('/api/v1/entries/{id}/grants', {
      params: { path: { id: entry } },
      body: { subject: { kind: to.kind, ...(to.id === null ? {} : { id: to.id }) }, role },
    }),
  );

export const changeGrant = (grant: string, change: { role?: Role; expires_at?: string | null }) =>
  take(api.PATCH('/api/v1/grants/{id}', { params: { path: { id: grant } }, body: change }));

export const takeBack = (grant: string) => take(api.DELETE('/api/v1/grants/{id}', { params: { path: { id: grant } } }));
