// Keys inside a view: moving, extending, and typing the start of a name. What does something to files is an action.
import { compareNames } from '@/lib/names';
import type { FolderState } from './folder';

/** A pause as long as this begins a new word. */
const typingPauseMs = 900;

export interface KeyPlan {
  /** The item that an arrow leads to from an item; null when the arrow means nothing in this view. */
  beside: (index: number, arrow: 'up' | 'down' | 'before' | 'after') => number | null;
  /** The place the keys begin at while nothing is selected, in a view that always shows something. */
  start?: number;
  /** Items in a page, for Page Up and Page Down. */
  page: () => number;
}

const arrows = { ArrowUp: 'up', ArrowDown: 'down' } as const;

export function useViewKeys(state: FolderState, plan: KeyPlan): (event: KeyboardEvent) => void {
  let typed = '';
  let typedAt = -Infinity;

  function typeTo(char: string): void {
    const now = performance.now();
    typed = now - typedAt > typingPauseMs ? char : typed + char;
    typedAt = now;
    const items = state.items.value;
    // The same letter again walks through the names that begin with it.
    const same = [...typed].every((one) => one === typed[0]);
    const wanted = (same ? typed[0]! : typed).toLocaleLowerCase();
    const begins = (name: string) => name.toLocaleLowerCase().startsWith(wanted);
    const from = items.findIndex((item) => item.id === state.selection.cursor);
    const turn = same && typed.length > 0 ? [...items.slice(from + 1), ...items.slice(0, from + 1)] : items;
    const hit =
      turn.find((item) => begins(item.name)) ??
      (same ? undefined : items.find((item) => compareNames(item.name, typed) >= 0 && item.kind === 'file'));
    if (!hit) return;
    state.selection.only([hit.id]);
    state.view.value?.reveal(hit.id);
  }

  return (event) => {
    if (event.target instanceof HTMLInputElement) return;
    const { selection } = state;
    const total = state.ids.value.length;
    const extend = event.shiftKey;
    const mod = event.ctrlKey || event.metaKey;
    /** Control moves the cursor past what is selected, as in grids everywhere. Command has a meaning of its own. */
    const alone = event.ctrlKey && !event.metaKey && !event.altKey;
    const goTo = (index: number) => {
      const id = state.ids.value[Math.min(total - 1, Math.max(0, index))];
      if (id === undefined) return;
      if (alone && !extend) selection.focus(id);
      else if (extend) selection.rangeTo(id, alone);
      else selection.only([id]);
    };
    const at = selection.cursor === null ? -1 : state.ids.value.indexOf(selection.cursor);
    if (event.key === ' ' && alone && !extend) {
      if (selection.cursor !== null) selection.click(selection.cursor, { toggle: true });
      event.preventDefault();
      return;
    }
    switch (event.key) {
      case 'ArrowDown':
      case 'ArrowUp':
      case 'ArrowRight':
      case 'ArrowLeft': {
        if ((mod && !alone) || event.altKey || total === 0) return;
        const ahead = (event.key === 'ArrowRight') === (document.dir !== 'rtl');
        const arrow =
          event.key === 'ArrowDown' || event.key === 'ArrowUp' ? arrows[event.key] : ahead ? 'after' : 'before';
        const now = selection.cursor === null ? (plan.start ?? -1) : at;
        const onward = arrow === 'down' || arrow === 'after';
        const next =
          now < 0 ? (plan.beside(0, arrow) === null ? null : onward ? 0 : total - 1) : plan.beside(now, arrow);
        if (next === null) return;
        goTo(next);
        break;
      }
      case 'Home':
        goTo(0);
        break;
      case 'End':
        goTo(total - 1);
        break;
      case 'PageDown':
        goTo(at < 0 ? 0 : at + plan.page());
        break;
      case 'PageUp':
        goTo(at < 0 ? total - 1 : at - plan.page());
        break;
      case 'Escape':
        state.endPick();
        break;
      default:
        if (
          event.key.length !== 1 ||
          // No name has one: it is the way to the search.
          event.key === '/' ||
          mod ||
          event.altKey ||
          (event.key === ' ' && performance.now() - typedAt > typingPauseMs)
        )
          return;
        typeTo(event.key);
        event.preventDefault();
        return;
    }
    event.preventDefault();
    if (selection.cursor) state.view.value?.reveal(selection.cursor);
  };
}
