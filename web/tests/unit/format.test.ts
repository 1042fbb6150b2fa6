// Sizes, clocks and plurals in both languages.
import { expect, it } from 'vitest';
import { i18n, setLanguage } from '@/i18n';
import { en } from '@/i18n/en';
import { ru } from '@/i18n/ru';
import { formatClock, formatSize } from '@/lib/format';

it.each([
  [0, 'en', '0\u00a0B'],
  [999, 'en', '999\u00a0B'],
  [1000, 'en', '1\u00a0KB'],
  [1234, 'en', '1.2\u00a0KB'],
  [999_600, 'en', '1\u00a0MB'],
  [2_400_000, 'ru', '2,4\u00a0МБ'],
] as const)('%d bytes in %s', (bytes, language, text) => expect(formatSize(bytes, language)).toBe(text));

it.each([
  [7, '0:07'],
  [760, '12:40'],
  [3723, '1:02:03'],
] as const)('%d seconds', (seconds, text) => expect(formatClock(seconds)).toBe(text));

it('counts in Russian', async () => {
  await setLanguage('ru');
  const say = (count: number) => i18n.global.t('drive.items', { count }, count);
  expect([1, 3, 5, 11, 21, 112].map(say)).toEqual([
    '1 объект',
    '3 объекта',
    '5 объектов',
    '11 объектов',
    '21 объект',
    '112 объектов',
  ]);
  await setLanguage('en');
});

it('uses the same placeholders in every language', () => {
  const places = (text: string) => [...new Set(text.match(/\{\w+\}/g) ?? [])].sort();
  const walk = (a: object, b: object, path: string) => {
    for (const [key, value] of Object.entries(a)) {
      const other = (b as Record<string, unknown>)[key];
      if (typeof value === 'string') expect(places(other as string), `${path}.${key}`).toEqual(places(value));
      else walk(value as object, other as object, `${path}.${key}`);
    }
  };
  walk(en, ru, '');
});
