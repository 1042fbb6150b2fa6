// Dragging: items onto folders, and files from and to the desktop. Every drop has an equal in the menus ("Move to…",
// "Upload", "Download").
import { onScopeDispose, shallowRef, watch, type Ref } from 'vue';
import type { Item } from '@/data/project';

/** Nothing is dragged before something is shown: the adapters come after the first list. */
const quiet = new Promise<void>((resolve) => setTimeout(resolve, 300));
const adapters = () => quiet.then(() => import('./dndAdapters'));
const takeOut = () => quiet.then(() => import('./takeOut'));

const dragType = 'holdfast-items';

interface DragData extends Record<string | symbol, unknown> {
  type: typeof dragType;
  items: readonly Item[];
}
const isDrag = (data: Record<string | symbol, unknown>): data is DragData => data.type === dragType;

/**
 * Lets a row be dragged. `pick` answers with what goes along, or null when the press was not meant as a drag; `held` with
 * what would go along if the pointer, which went down just now, begins a drag.
 */
export function useItemDrag(
  element: Ref<HTMLElement | null>,
  pick: (at: Element | null) => readonly Item[] | null,
  held: () => readonly Item[],
  label: (items: readonly Item[]) => string,
): Ref<boolean> {
  const dragging = shallowRef(false);
  watch(
    element,
    async (node, _, onCleanup) => {
      if (!node) return;
      let taken: readonly Item[] = [];
      let left = false;
      let stop: () => void = () => (left = true);
      onCleanup(() => stop());
      const [{ combine, draggable, setCustomNativeDragPreview, pointerOutsideOfPreview }, out] = await Promise.all([
        adapters(),
        takeOut(),
      ]);
      if (left) return;
      const drag = draggable({
        element: node,
        canDrag: ({ input }) => {
          const found = pick(document.elementFromPoint(input.clientX, input.clientY));
          taken = found ?? [];
          return found !== null;
        },
        getInitialData: (): DragData => ({ type: dragType, items: taken }),
        getInitialDataForExternal: () => out.takeOutData(taken),
        onGenerateDragPreview: ({ nativeSetDragImage }) =>
          setCustomNativeDragPreview({
            nativeSetDragImage,
            getOffset: pointerOutsideOfPreview({ x: '14px', y: '10px' }),
            render: ({ container }) => drawGhost(container, label(taken), taken.length),
          }),
        onDragStart: () => (dragging.value = true),
        onDrop: () => (dragging.value = false),
      });
      const presses = new AbortController();
      const { signal } = presses;
      const onDown = (event: PointerEvent) => {
        if (event.button === 0 && event.pointerType === 'mouse') out.prepareTakeOut(held());
      };
      node.addEventListener('pointerdown', onDown, { signal });
      node.addEventListener('pointerup', out.forgetTakeOut, { signal });
      stop = combine(drag, () => presses.abort());
    },
    { immediate: true, flush: 'post' },
  );
  return dragging;
}

/** A stack of cards with the name or the count; drawn by hand, as it is only a picture. */
function drawGhost(container: HTMLElement, text: string, count: number): void {
  for (let layer = Math.min(count, 3) - 1; layer >= 0; layer -= 1) {
    const card = document.createElement('div');
    card.className =
      'rounded-ctl border border-line-strong bg-raised px-3 py-1.5 text-ui font-medium text-ink max-w-60 truncate' +
      (layer > 0 ? ' absolute inset-0' : ' relative');
    card.style.transform = `translate(${layer * 3}px, ${layer * 3}px)`;
    card.textContent = layer === 0 ? text : '\u00a0';
    container.append(card);
  }
}

export interface DropOptions {
  /** The folder that would take the drop; null where there is none. */
  folder: () => Item | null;
  onItems: (items: readonly Item[], folder: Item, copy: boolean) => void;
  onFiles: (items: readonly DataTransferItem[], folder: Item) => void;
}

/** Makes an element take drops. The answer tells whether something hangs over it, and nothing nearer would take it. */
export function useDrop(element: Ref<HTMLElement | null>, options: DropOptions): Ref<boolean> {
  const over = shallowRef(false);
  watch(
    element,
    async (node, _, onCleanup) => {
      if (!node) return;
      let left = false;
      let stop: () => void = () => (left = true);
      onCleanup(() => stop());
      const { combine, containsFiles, dropTargetForElements, dropTargetForExternal } = await adapters();
      if (left) return;
      const nearest = (location: { current: { dropTargets: { element: Element }[] } }) =>
        location.current.dropTargets[0]?.element === node;
      const accepts = (data: Record<string | symbol, unknown>) => {
        const folder = options.folder();
        return isDrag(data) && folder !== null && !data.items.some((item) => item.id === folder.id);
      };
      stop = combine(
        dropTargetForElements({
          element: node,
          canDrop: ({ source }) => accepts(source.data),
          getDropEffect: ({ input }) => (input.ctrlKey || input.altKey ? 'copy' : 'move'),
          onDrag: ({ location, source }) => {
            const folder = options.folder();
            const home = isDrag(source.data) && source.data.items.every((item) => item.parent_id === folder?.id);
            over.value = nearest(location) && (!home || location.current.input.ctrlKey);
          },
          onDragLeave: () => (over.value = false),
          onDrop: ({ location, source }) => {
            over.value = false;
            const folder = options.folder();
            const copy = location.current.input.ctrlKey || location.current.input.altKey;
            if (nearest(location) && folder && isDrag(source.data)) options.onItems(source.data.items, folder, copy);
          },
        }),
        dropTargetForExternal({
          element: node,
          canDrop: ({ source }) => containsFiles({ source }) && options.folder() !== null,
          getDropEffect: () => 'copy',
          onDrag: ({ location }) => (over.value = nearest(location)),
          onDragLeave: () => (over.value = false),
          onDrop: ({ location, source }) => {
            over.value = false;
            const folder = options.folder();
            if (nearest(location) && folder) options.onFiles(source.items, folder);
          },
        }),
      );
    },
    { immediate: true, flush: 'post' },
  );
  onScopeDispose(() => (over.value = false));
  return over;
}
