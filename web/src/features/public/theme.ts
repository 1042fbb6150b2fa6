// Light or dark, and the language, in the record that the drive keeps too: `theme-boot.js` reads it before the first paint.
import { ref } from 'vue';

const key = 'holdfast.look';
export const isDark = ref(document.documentElement.dataset.theme === 'dark');

export function changeLook(change: Record<string, string>): void {
  let known: unknown = null;
  try {
    known = JSON.parse(localStorage.getItem(key) ?? '{}');
  } catch {
    // What is not readable is written anew.
  }
  try {
    localStorage.setItem(key, JSON.stringify({ ...(known as object), ...change }));
  } catch {
    // Without storage the choice lasts as long as the page.
  }
}

export function switchTheme(): void {
  isDark.value = !isDark.value;
  const theme = isDark.value ? 'dark' : 'light';
  document.documentElement.dataset.theme = theme;
  changeLook({ theme });
}
