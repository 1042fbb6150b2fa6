// Sizes and times as people write them in a query.
import { fold } from './fold';
import { spanWords, type Span } from './words';

/** From and up to, both with their ends as the reader of it says. */
export interface Range {
  from: number;
  to: number;
}

const units: Record<string, number> = {
  '': 1,
  b: 1,
  kb: 1e3,
  k: 1e3,
  mb: 1e6,
  m: 1e6,
  gb: 1e9,
  g: 1e9,
  tb: 1e12,
  t: 1e12,
  б: 1,
  кб: 1e3,
  к: 1e3,
  мб: 1e6,
  м: 1e6,
  гб: 1e9,
  г: 1e9,
  тб: 1e12,
  т: 1e12,
};

/** "10MB", "1,5 ГБ" in bytes, in steps of 1000 as sizes are shown; null for what is no size. */
export function bytesOf(text: string): number | null {
  const found = /^(\d+(?:[.,]\d+)?)\s*(\p{L}*)$/u.exec(fold(text.trim()));
  const unit = found ? units[found[2]!] : undefined;
  return found && unit !== undefined ? Number(found[1]!.replace(',', '.')) * unit : null;
}

/** ">10MB", "<=1GB", "1MB..5MB"; a size alone means about that. Both ends count. */
export function sizesOf(text: string): Range | null {
  const between = /^(.*?)\.\.(.*)$/.exec(text.trim());
  if (between) {
    const from = between[1] === '' ? 0 : bytesOf(between[1]!);
    const to = between[2] === '' ? Infinity : bytesOf(between[2]!);
    return from === null || to === null ? null : { from, to };
  }
  const found = /^([<>]?=?)(.*)$/.exec(text.trim());
  const bytes = bytesOf(found?.[2] ?? '');
  if (!found || bytes === null) return null;
  switch (found[1]) {
    case '>':
      return { from: bytes + 1, to: Infinity };
    case '>=':
      return { from: bytes, to: Infinity };
    case '<':
      return { from: 0, to: bytes - 1 };
    case '<=':
      return { from: 0, to: bytes };
    default:
      return { from: bytes * 0.9, to: bytes * 1.1 };
  }
}

const daysBack = { today: 0, yesterday: 1, week: 6, month: 29 } as const;

function spanOf(span: Span, now: number): Range {
  const today = new Date(now);
  const day = (back: number) => new Date(today.getFullYear(), today.getMonth(), today.getDate() - back).getTime();
  if (span === 'year') return { from: new Date(today.getFullYear(), 0, 1).getTime(), to: Infinity };
  return { from: day(daysBack[span]), to: span === 'yesterday' ? day(0) : Infinity };
}

/** A year, a month or a day by the calendar of this device; `to` is its end and belongs to it no more. */
function dateOf(text: string): Range | null {
  const iso = /^(\d{4})(?:-(\d{1,2})(?:-(\d{1,2}))?)?$/.exec(text);
  const local = /^(?:(\d{1,2})\.)?(\d{1,2})\.(\d{4})$/.exec(text);
  const [year, month, date] = iso ? [iso[1], iso[2], iso[3]] : local ? [local[3], local[2], local[1]] : [];
  if (year === undefined) return null;
  const numbers = [
    Number(year),
    month === undefined ? 0 : Number(month) - 1,
    date === undefined ? 1 : Number(date),
  ] as const;
  const first = new Date(numbers[0], numbers[1], numbers[2]);
  // 2026-02-30 is no day.
  if (first.getMonth() !== numbers[1] || first.getDate() !== numbers[2]) return null;
  const end =
    date !== undefined
      ? new Date(numbers[0], numbers[1], numbers[2] + 1)
      : month !== undefined
        ? new Date(numbers[0], numbers[1] + 1, 1)
        : new Date(numbers[0] + 1, 0, 1);
  return { from: first.getTime(), to: end.getTime() };
}

/** A time in words or as a date, or two of them with `..` between. `to` belongs to it no more. */
export function timesOf(text: string, now: number): Range | null {
  const trimmed = fold(text.trim());
  const between = /^(.*?)\.\.(.*)$/.exec(trimmed);
  if (between) {
    const from = between[1] === '' ? { from: 0 } : timesOf(between[1]!, now);
    const to = between[2] === '' ? { to: Infinity } : timesOf(between[2]!, now);
    return from && to ? { from: from.from, to: to.to } : null;
  }
  const span = spanWords.get(trimmed);
  return span ? spanOf(span, now) : dateOf(trimmed);
}
