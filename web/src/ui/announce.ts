// What is said to whoever does not see the page. It is said from one place, since readers follow one region most reliably;
// the short messages at the foot of the page have their own, and errors in forms stand at their fields.
import { onScopeDispose, ref, watch } from 'vue';

/** What readers read out now. */
export const spoken = ref('');

/** What changes meanwhile is said once, as it came out: a rubber band counts up to hundreds. */
const restMs = 300;
/** Whoever walks through the page later finds nothing old in it. */
const forgetMs = 5_000;
let waiting: string[] = [];
let timer: ReturnType<typeof setTimeout> | undefined;

export function announce(text: string): void {
  if (!waiting.includes(text)) waiting.push(text);
  clearTimeout(timer);
  timer = setTimeout(() => {
    spoken.value = waiting.join('. ');
    waiting = [];
    timer = setTimeout(() => (spoken.value = ''), forgetMs);
  }, restMs);
}

/** Says a text whenever it has become another one and stays that for a moment. What it is at first is on the page already. */
export function useAnnounced(text: () => string): void {
  let last = text();
  let rest: ReturnType<typeof setTimeout> | undefined;
  watch(text, (now) => {
    clearTimeout(rest);
    if (now === '' || now === last) return;
    rest = setTimeout(() => {
      last = now;
      announce(now);
    }, restMs);
  });
  onScopeDispose(() => clearTimeout(rest));
}
