// The language of the page: English is always there, others are fetched when they are wanted.
import { createI18n } from 'vue-i18n';
import { compileText } from './compile';
import { en, type Messages } from './en';

export type Language = 'en' | 'ru';
export const languages: readonly { id: Language; name: string }[] = [
  { id: 'en', name: 'English' },
  { id: 'ru', name: 'Русский' },
];

/** Which of "1 объект, 2 объекта, 5 объектов" a number takes; texts with two forms use the last for many. */
function russianForm(count: number, forms: number): number {
  const tens = count % 100;
  const ones = count % 10;
  const form = ones === 1 && tens !== 11 ? 0 : ones >= 2 && ones <= 4 && (tens < 12 || tens > 14) ? 1 : 2;
  return Math.min(form, forms - 1);
}

export const i18n = createI18n<[Messages], Language, false>({
  legacy: false,
  locale: 'en',
  fallbackLocale: 'en',
  messages: { en } as Record<Language, Messages>,
  pluralRules: { ru: russianForm },
  messageCompiler: compileText,
  missingWarn: true,
});

export async function setLanguage(language: Language): Promise<void> {
  if (language === 'ru' && !i18n.global.availableLocales.includes('ru')) {
    i18n.global.setLocaleMessage('ru', (await import('./ru')).ru);
  }
  i18n.global.locale.value = language;
  document.documentElement.lang = language;
}
