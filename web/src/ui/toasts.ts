// Short messages that come and go. One queue for the page; whoever has something to say pushes here. What is told in red is
// a loss or a refusal, and stays until somebody has closed it.
import { reactive } from 'vue';

export interface Toast {
  id: number;
  text: string;
  tone: 'plain' | 'danger';
  /** One thing to do about it, such as undo. */
  action?: { label: string; run: () => void };
}

/** Of those that go by themselves. */
const maxPassing = 3;
let counter = 0;
export const toasts: Toast[] = reactive([]);

export function toast(text: string, options: Partial<Pick<Toast, 'tone' | 'action'>> = {}): void {
  const tone = options.tone ?? 'plain';
  // A refusal that comes again is the same one: a server that is away would fill the page.
  const same = tone === 'danger' ? toasts.find((one) => one.tone === 'danger' && one.text === text) : undefined;
  if (same) dropToast(same.id);
  counter += 1;
  toasts.push({ id: counter, text, tone, action: options.action });
  const passing = toasts.filter((one) => one.tone === 'plain');
  for (const one of passing.slice(0, -maxPassing)) dropToast(one.id);
}

export function dropToast(id: number): void {
  const at = toasts.findIndex((one) => one.id === id);
  if (at >= 0) toasts.splice(at, 1);
}
