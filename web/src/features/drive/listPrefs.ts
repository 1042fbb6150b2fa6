// How a person likes to see a list that is no folder: favourites, what a search found. Kept on this device, each for itself.
import { shallowRef, type Ref } from 'vue';
import { sane, type ColumnKey, type ViewPrefs } from './prefs';

export function useListPrefs(
  name: string,
  fresh: ViewPrefs,
  columns: readonly ColumnKey[],
): { prefs: Readonly<Ref<ViewPrefs>>; setPrefs: (change: Partial<ViewPrefs>) => void } {
  const key = `holdfast.list.${name}`;
  const load = (): ViewPrefs => {
    try {
      return sane(JSON.parse(localStorage.getItem(key) ?? '{}'), fresh, columns);
    } catch {
      return fresh;
    }
  };
  const prefs = shallowRef(load());
  function setPrefs(change: Partial<ViewPrefs>): void {
    prefs.value = { ...prefs.value, ...change };
    localStorage.setItem(key, JSON.stringify(prefs.value));
  }
  return { prefs, setPrefs };
}
