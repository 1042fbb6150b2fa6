// The settings that this client has words for, in the groups and the order of the page. What a newer server knows beyond
// them is shown in the server's own words.
import type { Schemas } from '@/api/client';

export type Setting = Omit<Schemas['Setting'], 'value' | 'default'> & { value: unknown; default: unknown };
export const groups = [
  { id: 'server', keys: ['name', 'welcome'] },
  { id: 'people', keys: ['registration', 'team_spaces'] },
  { id: 'keeping', keys: ['trash_days', 'versions_kept', 'version_days'] },
  { id: 'links', keys: ['links', 'link_password', 'link_days'] },
] as const;
export type Known = (typeof groups)[number]['keys'][number];
export type GroupId = (typeof groups)[number]['id'] | 'others';
const known: ReadonlySet<string> = new Set(groups.flatMap((group) => group.keys));
export const isKnown = (key: string): key is Known => known.has(key);

/** Settings that are one of a few words. */
export const choices: Partial<Record<Known, readonly string[]>> = { registration: ['open', 'invitation', 'closed'] };
/** Numbers of days, and whether none of them means for ever. */
export const inDays: ReadonlySet<string> = new Set(['trash_days', 'version_days', 'link_days']);
export const isLong = (key: string) => key === 'welcome';

export type Control = 'switch' | 'choice' | 'number' | 'text';
export function controlOf(setting: Pick<Setting, 'key' | 'default'>): Control {
  if (isKnown(setting.key) && choices[setting.key]) return 'choice';
  if (typeof setting.default === 'boolean') return 'switch';
  return typeof setting.default === 'number' ? 'number' : 'text';
}

/** The groups that have something in them, with what nobody has words for at the end. */
export function grouped(settings: readonly Setting[]): { id: GroupId; settings: Setting[] }[] {
  const byKey = new Map(settings.map((one) => [one.key, one]));
  const all: { id: GroupId; settings: Setting[] }[] = groups.map((group) => ({
    id: group.id,
    settings: group.keys.flatMap((key) => byKey.get(key) ?? []),
  }));
  all.push({ id: 'others', settings: settings.filter((one) => !isKnown(one.key)) });
  return all.filter((group) => group.settings.length > 0);
}

/** What was written, as the server takes it: a number for a number, and the text as it is where it is none. */
export function valueOf(text: string, control: Control): unknown {
  const written = text.trim();
  return control === 'number' && /^\d+$/.test(written) ? Number(written) : written;
}
