// What every item does, whatever it looks like: takes clicks, drags, and drops when it is a folder.
import { computed, type Ref } from 'vue';
import { useI18n } from 'vue-i18n';
import type { Item } from '@/data/project';
import { uploadDropped } from '@/features/upload';
import { kindOf } from '@/lib/kinds';
import { useDrop, useItemDrag } from '../dnd';
import { clipboard, useFolder } from '../folder';
import { useHold } from './hold';

/** Lets an element be dragged as items, and take drops as a folder. */
export function useItemDnd(
  element: Ref<HTMLElement | null>,
  item: () => Item,
  pick: (at: Element | null) => readonly Item[] | null,
) {
  const { t } = useI18n();
  const state = useFolder();
  const held = () => (state.selection.has(item().id) ? state.selected.value : [item()]);
  const dragging = useItemDrag(element, pick, held, (items) =>
    items.length === 1 ? items[0]!.name : t('drive.dragCount', { count: items.length }, items.length),
  );
  const over = useDrop(element, {
    folder: () => (item().kind === 'folder' && state.canEdit.value ? item() : null),
    onItems: (items, folder, copy) => void state.transfer(items, folder.id, copy ? 'copy' : 'move'),
    onFiles: (items, folder) => void uploadDropped(items, folder),
  });
  return { dragging, over };
}

export function useItem(element: Ref<HTMLElement | null>, item: () => Item) {
  const state = useFolder();
  const kind = computed(() => kindOf(item()));
  const selected = computed(() => state.selection.has(item().id));
  const renaming = computed(() => state.renaming.value === item().id);
  const cut = computed(
    () => clipboard.value?.mode === 'cut' && clipboard.value.items.some((held) => held.id === item().id),
  );

  /** A finger that rests begins to pick several; from then on every tap takes one in or out. */
  const { pointerdown, byFinger } = useHold(() => {
    if (state.renaming.value) return;
    state.pick(item().id);
  });

  const { dragging, over } = useItemDnd(element, item, (at) => {
    // A resting finger picks, so it does not drag.
    if (state.renaming.value || byFinger()) return null;
    // The name and picture drag at once; the rest of a row draws a rubber band unless the row is selected already.
    if (!selected.value && !at?.closest('[data-handle]')) return null;
    if (!selected.value) state.selection.only([item().id]);
    return state.selected.value;
  });
  /** How selection, cursor, drops and being held show, in every view alike. */
  const surface = computed(() => [
    selected.value ? 'bg-accent-soft group-not-focus-within/view:bg-press' : 'hover:bg-hover',
    over.value && 'bg-accent-soft! outline-2 -outline-offset-2 outline-focus',
    state.selection.cursor === item().id &&
      'group-focus-visible/view:outline-2 group-focus-visible/view:-outline-offset-2 group-focus-visible/view:outline-focus',
    (dragging.value || cut.value) && 'opacity-50',
  ]);

  function onClick(event: MouseEvent): void {
    const { selection, picking } = state;
    // A finger opens at one tap; there is no second kind of click.
    const tap = event instanceof PointerEvent && event.pointerType === 'touch' && !event.shiftKey;
    if (tap && !picking.value) state.open(item());
    else
      selection.click(item().id, {
        range: event.shiftKey,
        toggle: picking.value || event.ctrlKey || event.metaKey,
      });
  }
  function onDoubleClick(): void {
    if (!state.picking.value && !byFinger()) state.open(item());
  }
  function onContextMenu(event: Event): void {
    if (byFinger()) {
      event.preventDefault();
      event.stopPropagation();
    } else if (!selected.value) {
      state.selection.only([item().id]);
    }
  }
  const events = { pointerdown, click: onClick, dblclick: onDoubleClick, contextmenu: onContextMenu };
  return { state, kind, selected, renaming, over, surface, events };
}
