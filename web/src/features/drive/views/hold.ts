// A finger that rests. Only some browsers tell of it by an event of their own, so it is told by time.
import { onScopeDispose } from 'vue';

/** Less than a browser takes to begin its own menu or drag. */
const holdMs = 420;
/** A finger is never quite still; farther than this it scrolls. */
const slackPx = 10;

/** Calls back when a finger rests on what the listeners are put on, and swallows the click that lifting it would make. */
export function useHold(onHold: () => void) {
  let stop: () => void = () => undefined;
  let finger = false;

  function pointerdown(event: PointerEvent): void {
    stop();
    finger = event.pointerType === 'touch';
    if (!finger || !event.isPrimary) return;
    let held = false;
    const listeners = new AbortController();
    const { signal } = listeners;
    const timer = setTimeout(() => {
      held = true;
      onHold();
    }, holdMs);
    stop = () => {
      clearTimeout(timer);
      listeners.abort();
    };
    const onMove = (move: PointerEvent) => {
      if (Math.hypot(move.clientX - event.clientX, move.clientY - event.clientY) > slackPx) stop();
    };
    const swallow = (click: Event) => {
      if (held) click.stopPropagation();
      stop();
    };
    addEventListener('pointermove', onMove, { signal });
    // A press that was held ends with the click after it, if one comes; the next press puts an end to waiting.
    addEventListener('pointerup', () => held || clearTimeout(timer), { signal });
    addEventListener('pointercancel', () => held || stop(), { signal });
    addEventListener('click', swallow, { capture: true, signal });
    addEventListener('pointerdown', (next) => next !== event && stop(), { capture: true, signal });
  }
  onScopeDispose(() => stop());
  return { pointerdown, /** Whether the last press was a finger's. */ byFinger: () => finger };
}
