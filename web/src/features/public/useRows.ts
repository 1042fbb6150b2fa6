// Shows of many rows of one height only those in sight, in a page that scrolls as a whole.
import { computed, onScopeDispose, shallowRef, watch, type Ref } from 'vue';

/** So far above and below what is in sight there are rows too, so that the next ones are there in time. */
const beyondPx = 264;

export interface Rows {
  /** The first row that is shown, and the one after the last. */
  from: number;
  to: number;
}

export function rowsInSight(above: number, sight: number, height: number, count: number): Rows {
  const from = Math.max(0, Math.floor((above - beyondPx) / height));
  const to = Math.min(count, Math.ceil((above + sight + beyondPx) / height));
  return { from: Math.min(from, count), to: Math.max(to, Math.min(from, count)) };
}

/**
 * `scroller` is what scrolls; `host` holds the rows, each `height` pixels high. The answer has the host's width, by which
 * tiles are counted.
 */
export function useRows(
  scroller: () => HTMLElement | null,
  host: Ref<HTMLElement | null>,
  height: () => number,
  count: () => number,
) {
  const above = shallowRef(0);
  const sight = shallowRef(0);
  const width = shallowRef(0);
  const stop = new AbortController();
  onScopeDispose(() => stop.abort());

  watch(
    host,
    (node, _, onCleanup) => {
      const page = scroller();
      if (!node || !page) return;
      const measure = () => {
        above.value = page.getBoundingClientRect().top - node.getBoundingClientRect().top;
        sight.value = page.clientHeight;
        width.value = node.clientWidth;
      };
      measure();
      const sizes = new ResizeObserver(measure);
      sizes.observe(page);
      sizes.observe(node);
      page.addEventListener('scroll', measure, { passive: true, signal: stop.signal });
      onCleanup(() => {
        sizes.disconnect();
        page.removeEventListener('scroll', measure);
      });
    },
    { immediate: true, flush: 'post' },
  );
  const rows = computed(() => rowsInSight(above.value, sight.value, height(), count()));
  return { rows, width };
}
