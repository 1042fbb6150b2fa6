// The one tooltip of the page: whoever is rested on or reached by keyboard says here what it is.
import { shallowRef } from 'vue';

export interface Tip {
  text: string;
  shortcut?: string;
  rect: DOMRect;
}

/** Long enough not to pop up on the way past. */
const restMs = 500;
export const tip = shallowRef<Tip | null>(null);
let timer: ReturnType<typeof setTimeout> | undefined;

export function hideTip(): void {
  clearTimeout(timer);
  tip.value = null;
}

export function showTip(element: HTMLElement, text: string, shortcut: string | undefined, atOnce: boolean): void {
  clearTimeout(timer);
  // A finger rests on nothing, and what has the focus there was touched.
  if (matchMedia('(any-hover: none)').matches) return;
  const show = () => {
    if (element.isConnected) tip.value = { text, shortcut, rect: element.getBoundingClientRect() };
  };
  if (atOnce || tip.value) show();
  else timer = setTimeout(show, restMs);
}
