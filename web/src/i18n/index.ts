// The language of the page: English is always there, others are fetched when they are wanted.
import { createI18n } from 'vue-i18n';
import { compileText } from './compile';
import { en, type Messages } from './en';
import { russianForm } from './plural';

export type Language = 'en' | 'ru';
export const languages: readonly { id: Language; name: string }[] = [
  { id: 'en', name: 'English' },
  { id: 'ru', name: 'Русский' },
];

export const i18n = createI18n<[Messages], Language, false>({
  legacy: false,
  locale: 'en',
  fallbackLocale: 'en',
  messages: { en } as Record<Language, Messages>,
  pluralRules: { ru: russianForm },
  messageCompiler: compileText,
  missingWarn: true,
});

/** Fetches the texts of pages that are about accounts; once, since a module comes once. */
export async function learnLaterTexts(): Promise<void> {
  i18n.global.mergeLocaleMessage('en', (await import('./later')).later);
}

let russian = false;

export async function setLanguage(language: Language): Promise<void> {
  if (language === 'ru' && !russian) {
    // Pages that bring texts of their own may have done so already.
    i18n.global.mergeLocaleMessage('ru', (await import('./ru')).ru);
    russian = true;
  }
  i18n.global.locale.value = language;
  document.documentElement.lang = language;
}
