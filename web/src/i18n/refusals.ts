// The server's refusals in a person's words, by their codes. There are many and few are ever needed, so they are fetched: a
// while after the start, or with the first refusal, which shows in the server's words for that moment.
import { shallowReactive } from 'vue';

/** What is needed of a problem to say it. */
export interface Refusal {
  code: string;
  /** The server's own words, in English. */
  message: string;
}
type Words = Readonly<Record<string, string>>;
const sources = {
  en: async (): Promise<Words> => (await import('./refusals.en')).refusals,
  ru: async (): Promise<Words> => (await import('./refusals.ru')).refusals,
};
type Language = keyof typeof sources;

const known = shallowReactive(new Map<string, Words>());
const coming = new Map<string, Promise<void>>();

export function learnRefusals(language: string): Promise<void> {
  const source = sources[language as Language];
  if (!source || known.has(language)) return Promise.resolve();
  const fetched =
    coming.get(language) ??
    source()
      .then((words) => void known.set(language, words))
      // Without a connection the server's words have to do; the next refusal asks again.
      .catch(() => undefined)
      .finally(() => coming.delete(language));
  coming.set(language, fetched);
  return fetched;
}

/** What to say of a refusal; in the server's words where its code is newer than this page. */
export function refusalText(refusal: Refusal, language: string): string {
  const words = known.get(language);
  if (!words) void learnRefusals(language);
  return words?.[refusal.code] ?? refusal.message;
}
