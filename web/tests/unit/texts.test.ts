// Every text can be shown in every language, with every number: a sign that means something to the text's own grammar
// would break the page where it stands, and only there.
import { expect, it } from 'vitest';
import { i18n, learnLaterTexts } from '@/i18n';
import { en as adminEn } from '@/features/admin/texts/en';
import { ru as adminRu } from '@/features/admin/texts/ru';
import { en as detailsEn } from '@/features/drive/inspector/texts/en';
import { ru as detailsRu } from '@/features/drive/inspector/texts/ru';
import { en as publicEn } from '@/features/public/en';
import { ru as publicRu } from '@/features/public/ru';
import { en } from '@/i18n/en';
import { en as accessEn } from '@/features/share/texts/en';
import { ru as accessRu } from '@/features/share/texts/ru';
import { activity } from '@/i18n/en.activity';
import { bell } from '@/i18n/en.bell';
import { edits } from '@/i18n/en.edits';
import { searching } from '@/i18n/en.search';
import { sharing } from '@/i18n/en.sharing';
import { trash } from '@/i18n/en.trash';
import { uploading } from '@/i18n/en.upload';
import { later } from '@/i18n/later';
import { ru } from '@/i18n/ru';

type Tree = { [key: string]: string | Tree };
const flat = (tree: Tree, path = ''): [key: string, text: string][] =>
  Object.entries(tree).flatMap(([key, value]) =>
    typeof value === 'string' ? [[path + key, value] as [string, string]] : flat(value, `${path}${key}.`),
  );
const texts = {
  en: [
    ...flat(en),
    ...flat(later),
    ...flat(uploading),
    ...flat(sharing),
    ...flat(edits),
    ...flat(trash),
    ...flat(activity),
    ...flat(searching),
    ...flat(bell),
  ],
  ru: flat(ru),
};
const adminTexts = { en: flat(adminEn), ru: flat(adminRu) };
const detailsTexts = { en: [...flat(detailsEn), ...flat(accessEn)], ru: [...flat(detailsRu), ...flat(accessRu)] };
const publicTexts = { en: flat(publicEn), ru: flat(publicRu) };
const slots = (text: string) => [...new Set([...text.matchAll(/\{(\w+)\}/g)].map(([, name]) => name))].sort();

it.each(['en', 'ru'] as const)('shows every text in %s', async (language) => {
  await learnLaterTexts();
  await import('@/i18n/edits');
  await import('@/i18n/trash');
  await import('@/i18n/activity');
  await import('@/i18n/search');
  await import('@/i18n/bell');
  i18n.global.mergeLocaleMessage('en', uploading);
  i18n.global.mergeLocaleMessage('en', sharing);
  i18n.global.setLocaleMessage('ru', ru);
  i18n.global.mergeLocaleMessage('en', { visitors: publicEn });
  i18n.global.mergeLocaleMessage('ru', { visitors: publicRu });
  i18n.global.mergeLocaleMessage('en', adminEn);
  i18n.global.mergeLocaleMessage('ru', adminRu);
  i18n.global.mergeLocaleMessage('en', detailsEn);
  i18n.global.mergeLocaleMessage('ru', detailsRu);
  i18n.global.mergeLocaleMessage('en', accessEn);
  i18n.global.mergeLocaleMessage('ru', accessRu);
  i18n.global.locale.value = language;
  const visitors = publicTexts[language].map(([key, text]) => [`visitors.${key}`, text] as const);
  for (const [key, text] of [...texts[language], ...adminTexts[language], ...detailsTexts[language], ...visitors]) {
    const named = Object.fromEntries(slots(text).map((name) => [name, `‹${name}›`]));
    for (const count of [0, 1, 2, 5, 11, 21]) {
      const shown = i18n.global.t(key, { ...named, count }, count);
      expect(shown, key).not.toBe('');
      expect(shown, key).not.toContain('{');
      expect(shown, key).not.toContain(' | ');
    }
  }
});

it('puts in values, plain signs and the form for a number', () => {
  const { t } = i18n.global;
  let last = 0;
  const of = (text: string, values: Record<string, unknown> = {}, count?: number) => {
    last += 1;
    i18n.global.locale.value = 'en';
    i18n.global.mergeLocaleMessage('en', { probe: { [last]: text } });
    return count === undefined ? t(`probe.${last}`, values) : t(`probe.${last}`, values, count);
  };
  expect(of('Plain')).toBe('Plain');
  expect(of('{a} of {b}', { a: 0, b: '' })).toBe('0 of ');
  expect(of('{who} wrote', { who: '{who} <b>$&' })).toBe('{who} <b>$& wrote');
  expect(of("{'@'}{'{'}a}")).toBe('@{a}');
  expect([0, 1, 2].map((count) => of('{count} file | {count} files', { count }, count))).toEqual([
    '0 files',
    '1 file',
    '2 files',
  ]);
});

it.each([texts, adminTexts, detailsTexts, publicTexts])('has room for the same things in both languages', (of) => {
  const russian = new Map(of.ru);
  for (const [key, text] of of.en) expect(slots(russian.get(key) ?? ''), key).toEqual(slots(text));
});

// Texts that come with the pages about accounts are not there before: what is used elsewhere belongs to the first ones.
it('uses the texts of accounts on pages about accounts alone', () => {
  const sources = import.meta.glob('/src/**/*.{ts,vue}', { query: '?raw', import: 'default', eager: true });
  const apart = new RegExp(`['"\`](?:${Object.keys(later).join('|')})\\.[a-zA-Z$]`);
  const users = Object.entries(sources)
    .filter(
      ([path, text]) =>
        !/\/(?:i18n|features\/(?:auth|settings|people|admin|public)|lib\/permissions|app\/FormDialog)\b/.test(path) &&
        apart.test(String(text)),
    )
    .map(([path]) => path);
  expect(users).toEqual([]);
});

it('uses the texts of uploads where they come with them', () => {
  const sources = import.meta.glob('/src/**/*.{ts,vue}', { query: '?raw', import: 'default', eager: true });
  const users = Object.entries(sources)
    .filter(
      ([path, text]) =>
        !/\/(?:i18n|features\/upload|app\/LeaveDialog)\b/.test(path) && /['"`]upload\.[a-zA-Z$]/.test(String(text)),
    )
    .map(([path]) => path);
  expect(users).toEqual([]);
});

it('uses the texts about links where they come with them', () => {
  const sources = import.meta.glob('/src/**/*.{ts,vue}', { query: '?raw', import: 'default', eager: true });
  const users = Object.entries(sources)
    .filter(
      ([path, text]) =>
        !/\/(?:i18n|features\/share)\b/.test(path) && /['`]share\.(?!action\b|badge\b)[a-zA-Z$]/.test(String(text)),
    )
    .map(([path]) => path);
  expect(users).toEqual([]);
});
