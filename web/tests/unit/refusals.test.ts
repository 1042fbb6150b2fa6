// Whatever the server refuses is told in the words of the page: every code that it documents has words in both languages, and
// nothing shows the server's own text where there are some.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { Problem } from '@/api/problem';
import { detailsOf, refusalOf, tellProblem, wordsOf } from '@/app/problems';
import { newOp } from '@/data/outbox/ops';
import { i18n } from '@/i18n';
import { learnRefusals } from '@/i18n/refusals';
import { refusals as en } from '@/i18n/refusals.en';
import { refusals as ru } from '@/i18n/refusals.ru';
import { toasts } from '@/ui/toasts';

const documented = [
  ...readFileSync(join(import.meta.dirname, '../../../docs/errors.md'), 'utf8').matchAll(/^## (\S+)$/gm),
].map(([, code]) => code!);
/** What the page itself, or something between it and the server, says. */
const own = /^(?:depends|device|waiting|http-\d+)$/;

afterEach(() => {
  i18n.global.locale.value = 'en';
  toasts.splice(0);
});

it.each([
  ['en', en],
  ['ru', ru],
])('has words for every code in %s, and for no other', (_, words) => {
  expect(documented.length).toBeGreaterThan(100);
  expect(documented.filter((code) => !words[code])).toEqual([]);
  expect(Object.keys(words).filter((code) => !documented.includes(code) && !own.test(code))).toEqual([]);
});

it('says the same codes in both languages, each in its own', () => {
  expect(Object.keys(ru)).toEqual(Object.keys(en));
  for (const [code, text] of Object.entries(ru)) {
    expect(text, code).toMatch(/[а-яё]/i);
    expect(text, code).not.toMatch(/[a-z]{2}/i);
    expect(text, code).toMatch(/[.@]$/);
  }
  for (const [code, text] of Object.entries(en)) expect(text, code).not.toMatch(/[а-яё]/i);
});

describe('what is told', () => {
  it('is in the language of the page, and in the words of the server where its code is newer', async () => {
    await Promise.all([learnRefusals('en'), learnRefusals('ru')]);
    const known = new Problem(409, 'name-taken', 'entry name is taken');
    const newer = new Problem(409, 'of-tomorrow', 'Not on a full moon.');
    expect(wordsOf(known)).toBe(en['name-taken']);
    expect(wordsOf(newer)).toBe('Not on a full moon.');
    i18n.global.locale.value = 'ru';
    i18n.global.setLocaleMessage('ru', (await import('@/i18n/ru')).ru);
    expect(wordsOf(known)).toBe(ru['name-taken']);
    expect(wordsOf(newer)).toBe('Not on a full moon.');
    expect(wordsOf(Problem.offline(), 'Нужна связь.')).toBe('Нужна связь.');
    await tellProblem(known);
    await tellProblem(new Error('whatever'), 'Нужна связь.');
    expect(toasts.map((one) => [one.text, one.tone])).toEqual([
      [ru['name-taken'], 'danger'],
      ['Нужна связь.', 'danger'],
    ]);
  });

  it('names the change that was refused by its reason', async () => {
    await learnRefusals('en');
    const op = newOp({ kind: 'create-folder', temp: 'ent_1', space: 'spc_1', parent: 'ent_root', name: 'a' });
    expect(refusalOf(op)).toBeNull();
    expect(refusalOf({ ...op, failure: { code: 'depends', detail: 'raw' } })).toBe(en.depends);
    expect(refusalOf({ ...op, failure: { code: 'of-tomorrow', detail: 'raw' } })).toBe('raw');
  });

  it('holds for whoever helps what the server said, and by which number', () => {
    const details = detailsOf(new Problem(500, 'internal', 'a fault', 'req_7'));
    expect(details).toContain('500 internal: a fault');
    expect(details).toContain('req_7');
  });
});

it('shows the text of a problem nowhere as it came', () => {
  const sources = import.meta.glob('/src/**/*.{ts,vue}', { query: '?raw', import: 'default', eager: true });
  // What these take is no answer of the server, or is made into words elsewhere.
  const apart =
    /\/src\/(?:app\/(?:App\.vue|problems\.ts)|api\/(?:ways|problem)\.ts|i18n\/refusals\.ts|data\/(?:outbox|sync)\/|workers\/)/;
  const raw = Object.entries(sources).flatMap(([path, text]) =>
    apart.test(path)
      ? []
      : String(text)
          .split('\n')
          .filter((line) => /\.message\b/.test(line))
          .map((line) => `${path}: ${line.trim()}`),
  );
  expect(raw).toEqual([]);
});
