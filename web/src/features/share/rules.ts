// The rules of a link as its form holds them, and what of them has to be told to the server.
import type { Schemas } from '@/api/client';
import type { Link, Mode } from './links';

export const endings = ['never', 'day', 'week', 'month', 'custom'] as const;
export type Ending = (typeof endings)[number];

/** The server's own limits. */
export const minPassword = 8;
export const maxDownloads = 1_000_000;
const dayMs = 86_400_000;
const lengths: Record<'day' | 'week' | 'month', number> = { day: dayMs, week: 7 * dayMs, month: 30 * dayMs };

export interface Rules {
  mode: Mode;
  name: string;
  note: string;
  protect: boolean;
  /** Empty while the one that there is stays. */
  password: string;
  ends: Ending;
  /** As the field of the browser has it: local time without a zone. */
  endsAt: string;
  limited: boolean;
  limit: string;
}

/** A moment as `<input type="datetime-local">` takes it. */
export function toLocal(at: number): string {
  const date = new Date(at);
  return new Date(at - date.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}

export function rulesOf(link: Link | null, now = Date.now()): Rules {
  return {
    mode: (link?.mode ?? 'download') as Mode,
    name: link?.name ?? '',
    note: link?.note ?? '',
    protect: link?.has_password ?? false,
    password: '',
    ends: link?.expires_at ? 'custom' : 'never',
    endsAt: toLocal(link?.expires_at ? new Date(link.expires_at).getTime() : now + lengths.week),
    limited: link?.download_limit != null,
    limit: String(link?.download_limit ?? 10),
  };
}

/** What is wrong with the rules, by field. */
export function troubleOf(
  rules: Rules,
  link: Link | null,
  now = Date.now(),
): Partial<Record<'password' | 'endsAt' | 'limit', true>> {
  const trouble: ReturnType<typeof troubleOf> = {};
  const kept = link?.has_password === true && rules.password === '';
  if (rules.protect && !kept && [...rules.password].length < minPassword) trouble.password = true;
  const at = new Date(rules.endsAt).getTime();
  // An end that has passed may stay as it is while other things are changed.
  const same = link?.expires_at != null && toLocal(new Date(link.expires_at).getTime()) === rules.endsAt;
  if (rules.ends === 'custom' && !same && !(at > now)) trouble.endsAt = true;
  const limit = Number(rules.limit);
  if (rules.limited && rules.mode !== 'upload' && !(Number.isInteger(limit) && limit >= 1 && limit <= maxDownloads))
    trouble.limit = true;
  return trouble;
}

function endOf(rules: Rules, now: number): string | null {
  if (rules.ends === 'never') return null;
  return new Date(rules.ends === 'custom' ? rules.endsAt : now + lengths[rules.ends]).toISOString();
}

export function toCreate(rules: Rules, now = Date.now()): Schemas['LinkBody'] {
  const ends = endOf(rules, now);
  return {
    mode: rules.mode,
    ...(rules.name.trim() ? { name: rules.name.trim() } : {}),
    ...(rules.note.trim() ? { note: rules.note.trim() } : {}),
    ...(rules.protect ? { password: rules.password } : {}),
    ...(ends === null ? {} : { expires_at: ends }),
    ...(rules.limited && rules.mode !== 'upload' ? { download_limit: Number(rules.limit) } : {}),
  };
}

/** Only what differs from the link as it is. */
export function toUpdate(rules: Rules, link: Link, now = Date.now()): Schemas['LinkUpdateBody'] {
  const update: Schemas['LinkUpdateBody'] = {};
  if (rules.mode !== link.mode) update.mode = rules.mode;
  const name = rules.name.trim() || null;
  if (name !== link.name) update.name = name;
  const note = rules.note.trim() || null;
  if (note !== link.note) update.note = note;
  if (!rules.protect && link.has_password) update.password = null;
  else if (rules.protect && rules.password !== '') update.password = rules.password;
  const same =
    rules.ends === 'custom' &&
    link.expires_at !== null &&
    toLocal(new Date(link.expires_at).getTime()) === rules.endsAt;
  const ends = endOf(rules, now);
  if (!same && ends !== link.expires_at) update.expires_at = ends;
  const limit = rules.limited && rules.mode !== 'upload' ? Number(rules.limit) : null;
  if (limit !== link.download_limit) update.download_limit = limit;
  return update;
}
