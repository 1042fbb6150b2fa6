// The rubber band: drawn over the view, selecting by arithmetic what it touches, scrolling when it reaches an edge.
import { onScopeDispose, shallowRef, type Ref } from 'vue';
import type { Layout, Rect } from './geometry';
import type { Selection } from './selection';

/** Less than this is a click with a trembling hand. */
const thresholdPx = 4;
const edgePx = 36;

export function useMarquee(options: {
  scroller: Ref<HTMLElement | null>;
  /** Null where there is no rubber band. */
  layout: () => Layout | null;
  ids: () => readonly string[];
  selection: Selection;
  /** Whether a press there may begin a band. */
  begins: (target: Element) => boolean;
}): { band: Ref<Rect | null>; onPointerDown: (event: PointerEvent) => void } {
  const band = shallowRef<Rect | null>(null);
  let stop: (() => void) | null = null;

  function onPointerDown(event: PointerEvent): void {
    const scroller = options.scroller.value;
    if (
      !scroller ||
      !options.layout() ||
      event.button !== 0 ||
      event.pointerType === 'touch' ||
      !(event.target instanceof Element) ||
      !options.begins(event.target)
    )
      return;
    const box = scroller.getBoundingClientRect();
    const rtl = getComputedStyle(scroller).direction === 'rtl';
    /** How far from where lines begin. */
    const across = (x: number) => (rtl ? box.right - x : x - box.left);
    if (across(event.clientX) > scroller.clientWidth) return;
    const toContent = (x: number, y: number) => ({
      x: across(x) + Math.abs(scroller.scrollLeft),
      y: y - box.top + scroller.scrollTop,
    });
    const start = toContent(event.clientX, event.clientY);
    const base =
      event.ctrlKey || event.metaKey || event.shiftKey ? new Set(options.selection.ids.value) : new Set<string>();
    let last = { x: event.clientX, y: event.clientY };
    let frame = 0;
    let drawn = false;

    const draw = () => {
      frame = 0;
      const now = toContent(last.x, last.y);
      if (!drawn && Math.hypot(now.x - start.x, now.y - start.y) < thresholdPx) return;
      drawn = true;
      const rect = {
        left: Math.min(start.x, now.x),
        top: Math.min(start.y, now.y),
        right: Math.max(start.x, now.x),
        bottom: Math.max(start.y, now.y),
      };
      band.value = rect;
      const ids = options.ids();
      options.selection.band(
        (options.layout()?.indexesIn(rect) ?? []).map((index) => ids[index]).filter((id) => id !== undefined),
        base,
      );
      const speed =
        last.y < box.top + edgePx
          ? last.y - box.top - edgePx
          : last.y > box.bottom - edgePx
            ? last.y - box.bottom + edgePx
            : 0;
      if (speed !== 0) {
        const before = scroller.scrollTop;
        scroller.scrollTop += speed / 2;
        if (scroller.scrollTop !== before) schedule();
      }
    };
    const schedule = () => {
      if (frame === 0) frame = requestAnimationFrame(draw);
    };
    const onMove = (move: PointerEvent) => {
      last = { x: move.clientX, y: move.clientY };
      schedule();
    };
    const end = () => {
      cancelAnimationFrame(frame);
      removeEventListener('pointermove', onMove);
      removeEventListener('pointerup', end);
      removeEventListener('pointercancel', end);
      stop = null;
      if (drawn) {
        // The click that follows the release would undo the selection.
        const swallow = (click: Event) => click.stopPropagation();
        addEventListener('click', swallow, { capture: true, once: true });
        setTimeout(() => removeEventListener('click', swallow, { capture: true }), 0);
      }
      band.value = null;
    };
    stop?.();
    stop = end;
    addEventListener('pointermove', onMove);
    addEventListener('pointerup', end);
    addEventListener('pointercancel', end);
  }

  onScopeDispose(() => stop?.());
  return { band, onPointerDown };
}
