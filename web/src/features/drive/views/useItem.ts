// What every item does, whatever it looks like: takes clicks, drags, and drops when it is a folder.
import { computed, type Ref } from 'vue';
import { useI18n } from 'vue-i18n';
import type { Item } from '@/data/project';
import { uploadDropped } from '@/features/upload';
import { useDrop, useItemDrag } from '../dnd';
import { useFolder } from '../folder';

export function useItem(element: Ref<HTMLElement | null>, item: () => Item) {
  const { t } = useI18n();
  const state = useFolder();
  const selected = computed(() => state.selection.has(item().id));

  const dragging = useItemDrag(
    element,
    (at) => {
      if (state.renaming.value) return null;
      // The name and picture drag at once; the rest of a row draws a rubber band unless the row is selected already.
      if (!selected.value && !at?.closest('[data-handle]')) return null;
      if (!selected.value) state.selection.only([item().id]);
      return state.selected.value;
    },
    (items) => (items.length === 1 ? items[0]!.name : t('drive.dragCount', { count: items.length }, items.length)),
  );
  const over = useDrop(element, {
    folder: () => (item().kind === 'folder' ? item() : null),
    onItems: (items, folder, copy) => void state.transfer(items, folder.id, copy ? 'copy' : 'move'),
    onFiles: (items, folder) => void uploadDropped(items, folder),
  });

  function onClick(event: MouseEvent): void {
    state.selection.click(item().id, { range: event.shiftKey, toggle: event.ctrlKey || event.metaKey });
    // A finger opens at one tap; there is no second kind of click.
    if (event instanceof PointerEvent && event.pointerType === 'touch' && !event.shiftKey) state.open(item());
  }
  function onContextMenu(): void {
    if (!selected.value) state.selection.only([item().id]);
  }
  return { state, selected, dragging, over, onClick, onContextMenu };
}
