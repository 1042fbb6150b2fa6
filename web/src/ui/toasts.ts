// Short messages that come and go. One queue for the page; whoever has something to say pushes here.
import { reactive } from 'vue';

export interface Toast {
  id: number;
  text: string;
  tone: 'plain' | 'danger';
  /** One thing to do about it, such as undo. */
  action?: { label: string; run: () => void };
}

const maxShown = 3;
let counter = 0;
export const toasts: Toast[] = reactive([]);

export function toast(text: string, options: Partial<Pick<Toast, 'tone' | 'action'>> = {}): void {
  counter += 1;
  toasts.push({ id: counter, text, tone: options.tone ?? 'plain', action: options.action });
  while (toasts.length > maxShown) toasts.shift();
}

export function dropToast(id: number): void {
  const at = toasts.findIndex((one) => one.id === id);
  if (at >= 0) toasts.splice(at, 1);
}
