// A token of a query in words, as a chip says it.
import { formatSize } from '@/lib/format';
import { sizesOf } from '@/data/search/amounts';
import type { Token } from '@/data/search/query';
import { kindWords, meanings, selfWords, spans, states } from '@/data/search/words';
import { fold } from '@/data/search/fold';
import { i18n } from '@/i18n';
import '@/i18n/search';

export interface Names {
  tag: (id: string) => string | null;
  folder: (id: string) => string | null;
  space: (id: string) => string | null;
}

function day(value: string, language: string): string {
  const [year, month, date] = value.split('-').map(Number);
  if (!/^\d{4}(?:-\d{1,2}){0,2}$/.test(value)) return value;
  const when = new Date(year!, (month ?? 1) - 1, date ?? 1);
  const shape: Intl.DateTimeFormatOptions =
    date !== undefined
      ? { day: 'numeric', month: 'short', year: 'numeric' }
      : month !== undefined
        ? { month: 'long', year: 'numeric' }
        : { year: 'numeric' };
  return new Intl.DateTimeFormat(language, shape).format(when);
}

function time(value: string, language: string): string {
  const { t } = i18n.global;
  if ((spans as readonly string[]).includes(value)) return t(`search.span_${value}`);
  const [from, to] = value.split('..');
  if (to === undefined) return day(value, language);
  if (!from) return t('search.until', { when: day(to, language) });
  return to ? `${day(from, language)} – ${day(to, language)}` : t('search.since', { when: day(from, language) });
}

function size(value: string, language: string): string {
  const range = sizesOf(value);
  if (!range) return value;
  if (/^[<>]/.test(value))
    return `${value[0]} ${formatSize(value.startsWith('>') ? Math.floor(range.from / 10) * 10 : Math.ceil(range.to / 10) * 10, language)}`;
  if (!value.includes('..')) return `≈ ${formatSize((range.from + range.to) / 2, language)}`;
  return range.to === Infinity
    ? `≥ ${formatSize(range.from, language)}`
    : `${formatSize(range.from, language)} – ${formatSize(range.to, language)}`;
}

/** In words. Of a longer list than `most` the first ones stand for all: where there is little room. */
export function describeToken({ op, value, not }: Token, names: Names, most = Infinity): string {
  const { t } = i18n.global;
  const language = i18n.global.locale.value;
  const list = (one: (part: string) => string | string[]) => {
    const all = value.split(',').flatMap((part) => one(part.trim()));
    const few = all.slice(0, all.length > most + 1 ? most : all.length);
    return few.join(', ') + (few.length < all.length ? ` +${all.length - few.length}` : '');
  };
  const text = () => {
    switch (op) {
      case 'kind':
        return list((one) => {
          const kinds = meanings(kindWords, one).map((kind) => t(`groups.${kind}`));
          return kinds.length > 0 ? kinds : one;
        });
      case 'tag':
        return list((one) => names.tag(one) ?? (one.startsWith('tag_') ? t('search.goneTag') : one));
      case 'in':
        return t('search.inFolder', { name: names.folder(value) ?? value });
      case 'space':
        return names.space(value) ?? value;
      case 'owner':
        return t('search.ownerIs', { name: selfWords.has(fold(value)) ? t('search.me') : value });
      case 'size':
        return t('search.sizeIs', { size: size(value, language) });
      case 'before':
        return t('search.beforeDate', { when: time(value, language) });
      case 'after':
        return t('search.since', { when: time(value, language) });
      case 'modified':
        return time(value, language);
      case 'created':
        return t('search.createdAt', { when: time(value, language) });
      case 'is':
        return list((one) => ((states as readonly string[]).includes(one) ? t(`search.is_${one}`) : one));
      case null:
        return value;
    }
  };
  return not ? t('search.not', { what: text() }) : text();
}
