// Keys of what is shown, in the window that shows it: whoever stands around asks here before it takes a key for itself. Where
// nobody provides for them, as in a list, the content has no keys of its own.
import { inject, onScopeDispose, provide, type InjectionKey } from 'vue';

/** Answers whether the key was its own. */
type Keys = (event: KeyboardEvent) => boolean;
const held: InjectionKey<Set<Keys>> = Symbol('look keys');

export function provideLookKeys(): Keys {
  const all = new Set<Keys>();
  provide(held, all);
  return (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return false;
    const taken = [...all].some((keys) => keys(event));
    if (taken) event.preventDefault();
    return taken;
  };
}

export function useLookKeys(keys: Keys): void {
  const all = inject(held, null);
  all?.add(keys);
  onScopeDispose(() => all?.delete(keys));
}

/** For a page or a window that shows one file alone, wherever the focus is in it. */
export function listenForLookKeys(): void {
  const lookKey = provideLookKeys();
  const onKey = (event: KeyboardEvent) => {
    if (event.target instanceof Element && event.target.closest('button, a, input:not([type=range]), textarea')) return;
    if (!event.defaultPrevented) lookKey(event);
  };
  addEventListener('keydown', onKey, { capture: true });
  onScopeDispose(() => removeEventListener('keydown', onKey, { capture: true }));
}
