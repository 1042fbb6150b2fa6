// How the page looks on this device: theme, density, language. `theme-boot.js` reads the same record before first paint.
import { reactive, watch } from 'vue';
import { setLanguage, type Language } from '@/i18n';

export interface Look {
  theme: 'system' | 'light' | 'dark';
  density: 'compact' | 'default' | 'relaxed';
  language: Language;
}

const key = 'holdfast.look';
const darkSystem = matchMedia('(prefers-color-scheme: dark)');

function load(): Look {
  const fallback: Look = {
    theme: 'system',
    density: 'default',
    language: document.documentElement.lang === 'ru' ? 'ru' : 'en',
  };
  try {
    return { ...fallback, ...(JSON.parse(localStorage.getItem(key) ?? '{}') as Partial<Look>) };
  } catch {
    return fallback;
  }
}

export const look: Look = reactive(load());

export const isDark = () => look.theme === 'dark' || (look.theme === 'system' && darkSystem.matches);

function apply(): void {
  document.documentElement.dataset.theme = isDark() ? 'dark' : 'light';
  document.documentElement.dataset.density = look.density;
}

export async function startLook(): Promise<void> {
  apply();
  darkSystem.addEventListener('change', apply);
  watch(look, () => {
    localStorage.setItem(key, JSON.stringify(look));
    apply();
  });
  watch(
    () => look.language,
    (language) => void setLanguage(language),
  );
  addEventListener('storage', (event: StorageEvent) => {
    if (event.key === key) Object.assign(look, load());
  });
  await setLanguage(look.language);
}
