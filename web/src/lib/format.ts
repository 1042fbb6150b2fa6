// Numbers, sizes, times and dates as people read them, in the language of the page.

const cache = new Map<string, Intl.NumberFormat | Intl.DateTimeFormat | Intl.RelativeTimeFormat>();
function cached<T extends Intl.NumberFormat | Intl.DateTimeFormat | Intl.RelativeTimeFormat>(
  key: string,
  make: () => T,
): T {
  const known = cache.get(key);
  if (known) return known as T;
  const made = make();
  cache.set(key, made);
  return made;
}

const units: Record<string, string[]> = {
  en: ['B', 'KB', 'MB', 'GB', 'TB', 'PB'],
  ru: ['Б', 'КБ', 'МБ', 'ГБ', 'ТБ', 'ПБ'],
};

/** The names of the sizes that people write: MB, GB, TB, with how many bytes each is. */
export const writtenUnits = (language: string): { name: string; bytes: number }[] =>
  [2, 3, 4].map((step) => ({ name: (units[language] ?? units.en!)[step]!, bytes: 1000 ** step }));

/** Bytes in steps of 1000, as desktop systems show them: 999 B, 1.2 MB, 34 MB. The space inside never breaks. */
export function formatSize(bytes: number, language: string): string {
  const names = units[language] ?? units.en!;
  let value = bytes;
  let step = 0;
  while (value >= 999.5 && step < names.length - 1) {
    value /= 1000;
    step += 1;
  }
  const digits = step > 0 && value < 9.95 ? 1 : 0;
  const number = cached(
    `n${language}${digits}`,
    () => new Intl.NumberFormat(language, { maximumFractionDigits: digits }),
  );
  return `${number.format(value)}\u00a0${names[step]}`;
}

export function formatNumber(value: number, language: string): string {
  return cached(`n${language}`, () => new Intl.NumberFormat(language)).format(value);
}

/** A latitude or longitude to the metre, with the sign that figures have: `−4.48333°`. */
export function formatDegrees(value: number, language: string): string {
  const number = cached(`g${language}`, () => new Intl.NumberFormat(language, { maximumFractionDigits: 5 }));
  return `${number.format(value).replace('-', '−')}°`;
}

export function formatPercent(share: number, language: string): string {
  return cached(
    `p${language}`,
    () => new Intl.NumberFormat(language, { style: 'percent', maximumFractionDigits: 0 }),
  ).format(share);
}

/** Hours as the language writes them everywhere: `05:27` in Russian, `5:27 AM` in English. */
export const hourOf = (language: string) => (language.startsWith('ru') ? '2-digit' : 'numeric');

/** Today's times as a time, this year's as day and month, older ones with the year. */
export function formatWhen(at: string, language: string, now: number = Date.now()): string {
  const date = new Date(at);
  const today = new Date(now);
  if (date.toDateString() === today.toDateString()) {
    return cached(
      `t${language}`,
      () => new Intl.DateTimeFormat(language, { hour: hourOf(language), minute: '2-digit' }),
    ).format(date);
  }
  if (date.getFullYear() === today.getFullYear()) {
    return cached(
      `d${language}`,
      () =>
        new Intl.DateTimeFormat(language, {
          day: 'numeric',
          month: 'short',
          hour: hourOf(language),
          minute: '2-digit',
        }),
    ).format(date);
  }
  return cached(
    `y${language}`,
    () => new Intl.DateTimeFormat(language, { day: 'numeric', month: 'short', year: 'numeric' }),
  ).format(date);
}

/** A day as a heading: "Saturday, 21 November", with the year where it is another one. */
export function formatDay(at: string, language: string, now: number = Date.now()): string {
  const date = new Date(at);
  const year = date.getFullYear() === new Date(now).getFullYear() ? undefined : 'numeric';
  return cached(
    `w${language}${year}`,
    () => new Intl.DateTimeFormat(language, { weekday: 'long', day: 'numeric', month: 'long', year }),
  ).format(date);
}

export function formatTime(at: string, language: string): string {
  return cached(
    `t${language}`,
    () => new Intl.DateTimeFormat(language, { hour: hourOf(language), minute: '2-digit' }),
  ).format(new Date(at));
}

export function formatFullDate(at: string, language: string): string {
  return cached(
    `f${language}`,
    () => new Intl.DateTimeFormat(language, { dateStyle: 'medium', timeStyle: 'short' }),
  ).format(new Date(at));
}

/** From one moment to another, with what both have in common said once. */
export function formatPeriod(from: string, to: string, language: string): string {
  return cached(
    `f${language}`,
    () => new Intl.DateTimeFormat(language, { dateStyle: 'medium', timeStyle: 'short' }),
  ).formatRange(new Date(from), new Date(to));
}

/** What is no longer than this is not broken in itself. */
const shortFact = 24;

/** Facts beside each other. A number stays with what it counts, and a dot with what stands before it. */
export function joinFacts(facts: readonly string[]): string {
  return facts
    .filter(Boolean)
    .map((fact) => (fact.length <= shortFact ? fact.replaceAll(' ', '\u00a0') : fact))
    .join('\u00a0· ')
    .replace(/(\d) (?=\p{L})/gu, '$1\u00a0');
}

/** "3 minutes ago"; anything under a minute is "just now". */
export function formatAgo(at: string, language: string, now: number = Date.now()): string {
  const seconds = (new Date(at).getTime() - now) / 1000;
  const relative = cached(`r${language}`, () => new Intl.RelativeTimeFormat(language, { numeric: 'auto' }));
  const size = Math.abs(seconds);
  if (size < 60) return language.startsWith('ru') ? 'только что' : 'just now';
  if (size < 3600) return relative.format(Math.round(seconds / 60), 'minute');
  if (size < 86_400) return relative.format(Math.round(seconds / 3600), 'hour');
  return relative.format(Math.round(seconds / 86_400), 'day');
}

const spans = [
  { unit: 'day', seconds: 86_400 },
  { unit: 'hour', seconds: 3600 },
  { unit: 'minute', seconds: 60 },
  { unit: 'second', seconds: 1 },
] as const;
/** About how long: "3 hr", "12 min", "7 days"; in the largest unit of which there is one. */
export function formatSpan(seconds: number, language: string): string {
  const { unit, seconds: size } = spans.find((one) => seconds >= one.seconds) ?? spans[3];
  return cached(
    `s${language}${unit}`,
    () =>
      new Intl.NumberFormat(language, {
        style: 'unit',
        unit,
        unitDisplay: unit === 'day' ? 'long' : 'short',
        maximumFractionDigits: 0,
      }),
  ).format(Math.floor(seconds / size));
}

/** A length of time as 0:07, 12:40 or 1:02:03. */
export function formatClock(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  const two = (value: number) => String(value).padStart(2, '0');
  const hours = Math.floor(whole / 3600);
  const minutes = Math.floor((whole % 3600) / 60);
  return hours > 0 ? `${hours}:${two(minutes)}:${two(whole % 60)}` : `${minutes}:${two(whole % 60)}`;
}
