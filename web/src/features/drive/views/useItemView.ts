// What every view of a folder does, whatever it looks like: keys, the rubber band, letting go beside the items, and
// bringing an item into sight when it is asked to.
import { nextTick, onMounted, onUnmounted, ref, watch, type Ref } from 'vue';
import { useListener, useResize } from '@/lib/element';
import { look } from '@/lib/look';
import { useFolder } from '../folder';
import type { Layout } from '../geometry';
import { useViewKeys, type KeyPlan } from '../keyboard';
import { useMarquee } from '../marquee';

/** The value of a size token as a number, which arithmetic needs; follows the density. */
export function useToken(element: Ref<HTMLElement | null>, token: string, initial: number): Readonly<Ref<number>> {
  const value = ref(initial);
  const measure = () => {
    if (element.value) value.value = parseFloat(getComputedStyle(element.value).getPropertyValue(token)) || initial;
  };
  onMounted(measure);
  useResize(element, measure);
  watch(
    () => look.density,
    () => nextTick(measure),
  );
  return value;
}

export function useItemView(options: {
  scroller: Ref<HTMLElement | null>;
  keys: KeyPlan;
  /** Scrolls until the item at that place of the order is in sight. */
  reveal: (index: number) => void;
  /** Views without it have no rubber band. */
  layout?: () => Layout;
  /** The role of the element of one item. */
  itemRole: 'row' | 'gridcell';
}) {
  const state = useFolder();
  const { scroller, itemRole } = options;
  const itemAt = (target: Element) => target.closest(`[role="${itemRole}"][data-name]`);
  const { layout } = options;
  const { band, onPointerDown } = useMarquee({
    scroller,
    layout: () => layout?.() ?? null,
    ids: () => state.ids.value,
    selection: state.selection,
    // The name and picture of an item, and an item that is selected already, are dragged instead.
    begins: (target) =>
      !target.closest('[role="columnheader"], input, [data-handle]') &&
      itemAt(target)?.getAttribute('aria-selected') !== 'true',
  });
  useListener(scroller, 'pointerdown', onPointerDown);

  function onBackground(event: MouseEvent): void {
    // A finger that misses does not undo what it has picked.
    if (state.picking.value) return;
    if (event.target instanceof Element && !itemAt(event.target) && !event.target.closest('[role="columnheader"]'))
      state.selection.clear();
  }

  const own = {
    reveal: (id: string) => {
      const index = state.ids.value.indexOf(id);
      if (index >= 0) options.reveal(index);
    },
    focus: () => scroller.value?.focus({ preventScroll: true }),
  };
  onMounted(() => (state.view.value = own));
  onUnmounted(() => {
    if (state.view.value === own) state.view.value = null;
  });

  return { state, band, onBackground, onKey: useViewKeys(state, options.keys) };
}
