// What the page asks the browser all the time, as refs: the size of an element, a media query, a value kept on this device.
import { onScopeDispose, ref, shallowRef, watch, type Ref } from 'vue';

/** Calls back at once for an element that appears, and whenever its size changes. */
export function useResize(element: Readonly<Ref<HTMLElement | null>>, onChange: (width: number) => void): void {
  watch(
    element,
    (node, _, onCleanup) => {
      if (!node) return;
      const observer = new ResizeObserver(([entry]) => entry && onChange(entry.contentRect.width));
      observer.observe(node);
      onCleanup(() => observer.disconnect());
    },
    { immediate: true, flush: 'post' },
  );
}

/** The width inside the padding of an element; 0 until it is known. */
export function useWidth(element: Readonly<Ref<HTMLElement | null>>): Readonly<Ref<number>> {
  const width = shallowRef(0);
  useResize(element, (now) => (width.value = now));
  return width;
}

/** Listens to an element for as long as it is there. */
export function useListener<K extends keyof HTMLElementEventMap>(
  element: Readonly<Ref<HTMLElement | null>>,
  type: K,
  listener: (event: HTMLElementEventMap[K]) => void,
): void {
  watch(
    element,
    (node, _, onCleanup) => {
      node?.addEventListener(type, listener);
      onCleanup(() => node?.removeEventListener(type, listener));
    },
    { immediate: true, flush: 'post' },
  );
}

/** Whether a media query holds. For the life of the page: it is never let go. */
export function mediaQuery(query: string): Readonly<Ref<boolean>> {
  const media = matchMedia(query);
  const matches = ref(media.matches);
  media.addEventListener('change', () => (matches.value = media.matches));
  return matches;
}

/** A number or switch that is kept on this device, the same in all tabs. What cannot be read counts as never set. */
export function useStored(key: string, initial: number): Ref<number>;
export function useStored(key: string, initial: boolean): Ref<boolean>;
export function useStored(key: string, initial: number | boolean): Ref<number | boolean> {
  const parse = (text: string | null): number | boolean => {
    try {
      const value: unknown = JSON.parse(text ?? 'null');
      return typeof value === typeof initial ? (value as typeof initial) : initial;
    } catch {
      return initial;
    }
  };
  const value = shallowRef(parse(localStorage.getItem(key)));
  watch(value, (now) => localStorage.setItem(key, JSON.stringify(now)), { flush: 'sync' });
  const onStorage = (event: StorageEvent) => {
    if (event.key === key && event.storageArea === localStorage) value.value = parse(event.newValue);
  };
  addEventListener('storage', onStorage);
  onScopeDispose(() => removeEventListener('storage', onStorage), true);
  return value;
}
