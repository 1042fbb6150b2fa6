// The language of the page of links: what the browser prefers, or what was chosen on this device, also in the drive.
import { createI18n } from 'vue-i18n';
import { compileText } from '@/i18n/compile';
import { russianForm } from '@/i18n/plural';
import { en } from './en';
import { changeLook } from './theme';

export type Language = 'en' | 'ru';

export const i18n = createI18n({
  legacy: false,
  locale: 'en',
  fallbackLocale: 'en',
  messages: { en } as Record<Language, typeof en>,
  pluralRules: { ru: russianForm },
  messageCompiler: compileText,
});

export async function setLanguage(language: Language): Promise<void> {
  if (language === 'ru' && !(i18n.global.availableLocales as string[]).includes('ru'))
    i18n.global.setLocaleMessage('ru', (await import('./ru')).ru);
  (i18n.global.locale as { value: Language }).value = language;
  document.documentElement.lang = language;
}

export async function chooseLanguage(language: Language): Promise<void> {
  await setLanguage(language);
  changeLook({ language });
}
