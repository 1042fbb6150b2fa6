// What a plan allows: as words, as what stands in the fields of a form, and what of it was changed.
import type { Schemas } from '@/api/client';
import { i18n } from '@/i18n';
import { formatNumber, formatSize } from '@/lib/format';

export type Limits = Schemas['PlanLimits'];
export const sizes = ['storage_bytes', 'file_bytes'] as const;
export const counts = ['versions_kept', 'trash_days', 'links', 'members'] as const;
export type SizeLimit = (typeof sizes)[number];
export type CountLimit = (typeof counts)[number];
/** What the server takes: the least and the most of each number. */
export const bounds: Record<CountLimit, { least: number; most: number }> = {
  versions_kept: { least: 1, most: 10_000 },
  trash_days: { least: 1, most: 36_500 },
  links: { least: 0, most: Number.MAX_SAFE_INTEGER },
  members: { least: 1, most: Number.MAX_SAFE_INTEGER },
};
export const noLimits: Limits = {
  storage_bytes: null,
  file_bytes: null,
  versions_kept: null,
  trash_days: null,
  links: null,
  members: null,
};

export interface LimitWords {
  id: SizeLimit | CountLimit;
  label: string;
  /** Null for no limit. */
  text: string | null;
}
/** All limits, each with its name and its amount. */
export function limitWords(limits: Limits): LimitWords[] {
  const { t, locale } = i18n.global;
  const language = locale.value;
  return [...sizes, ...counts].map((id) => {
    const label = t(`plans.short_${id}`);
    const value = limits[id];
    if (value === null) return { id, label, text: null };
    const text =
      id === 'storage_bytes' || id === 'file_bytes'
        ? formatSize(value, language)
        : id === 'trash_days'
          ? t('plans.days', { count: value }, value)
          : formatNumber(value, language);
    return { id, label, text };
  });
}

/** A whole number from a field: null for an empty one, NaN for what is none or out of bounds. */
export function countOf(text: string, id: CountLimit): number | null {
  const written = text.trim();
  if (written === '') return null;
  const value = /^\d+$/.test(written) ? Number(written) : Number.NaN;
  const { least, most } = bounds[id];
  return value >= least && value <= most ? value : Number.NaN;
}

/** What is another thing now, for a change of a plan. */
export function changedLimits(before: Limits, after: Limits): Partial<Limits> {
  return Object.fromEntries(
    [...sizes, ...counts].filter((id) => after[id] !== before[id]).map((id) => [id, after[id]]),
  );
}

export type Effect = Schemas['PlanEffect'];
export interface EffectLine {
  id: keyof Effect;
  tone: 'warning' | 'danger';
  text: string;
}
/** What other limits would do to spaces, the worst first. Empty where they take nothing from anybody. */
export function effectLines(effect: Effect): EffectLine[] {
  const { t, locale } = i18n.global;
  const number = (value: number) => formatNumber(value, locale.value);
  const line = (id: keyof Effect, tone: EffectLine['tone'], more: Record<string, string> = {}): EffectLine[] =>
    effect[id] > 0
      ? [{ id, tone, text: t(`plans.effect_${id}`, { count: number(effect[id]), ...more }, effect[id]) }]
      : [];
  return [
    ...line('versions_to_go', 'danger', { size: formatSize(effect.versions_to_go_bytes, locale.value) }),
    ...line('trashed_to_go', 'danger'),
    ...line('spaces_over_storage', 'warning'),
    ...line('spaces_over_links', 'warning'),
    ...line('spaces_over_members', 'warning'),
  ];
}
/** Whether something would be gone for good. */
export const loses = (effect: Effect) => effect.versions_to_go > 0 || effect.trashed_to_go > 0;
