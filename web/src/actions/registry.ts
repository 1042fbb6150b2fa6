// What a person can do on the page, once each: menus, toolbar, palette and shortcuts all read the same objects.
import { computed, onScopeDispose, shallowReactive, type Component } from 'vue';
import { i18n } from '@/i18n';
import { isTyping, matches, showShortcut } from '@/lib/keys';
import type { MenuItems } from '@/ui/menu';
import { toast } from '@/ui/toasts';

export interface Action {
  id: string;
  /** Key of its name in the texts. */
  label: string;
  group: 'file' | 'edit' | 'view' | 'go';
  icon?: Component;
  /** The first one is shown. */
  shortcuts?: readonly string[];
  danger?: boolean;
  /** Whether it makes sense now; actions that do not are not offered. */
  enabled?: () => boolean;
  /** Why it cannot be done here, though it makes sense; it is shown with that, and not run. */
  blocked?: () => string | null;
  checked?: () => boolean;
  /** Not in the palette, because it needs a place to be done at. */
  hidden?: boolean;
  run: () => void | Promise<void>;
}

const registered = shallowReactive(new Map<string, Action>());

let gathering: Action[] | null = null;

/** Offers actions while the calling component lives. */
export function offer(actions: readonly Action[]): void {
  if (gathering) {
    gathering.push(...actions);
    return;
  }
  for (const action of actions) registered.set(action.id, action);
  onScopeDispose(() => {
    for (const action of actions) if (registered.get(action.id) === action) registered.delete(action.id);
  });
}

/** What `work` would offer, for telling of it where it cannot be done. */
export function gather(work: () => void): readonly Action[] {
  const found: Action[] = [];
  gathering = found;
  try {
    work();
  } finally {
    gathering = null;
  }
  return found;
}

export const actions = computed(() => [...registered.values()]);

export function isEnabled(action: Action): boolean {
  return action.enabled?.() ?? true;
}

/** Why an action that makes sense cannot be done; null when it can. */
export const reasonOf = (id: string) => registered.get(id)?.blocked?.() ?? null;

function attempt(action: Action): void {
  const reason = action.blocked?.() ?? null;
  if (reason) toast(reason);
  else void action.run();
}

export function run(id: string): void {
  const action = registered.get(id);
  if (action && isEnabled(action)) attempt(action);
}

export function labelOf(action: Action): string {
  return i18n.global.t(action.label);
}

const isAction = (row: MenuItems[number] | undefined) => typeof row === 'object' && 'id' in row;

/**
 * The named actions as rows of a menu; `-` is a rule and `#` begins the key of a heading. What is not offered now is left
 * out, and so are rules and headings with nothing under them.
 */
export function menuOf(ids: readonly string[]): MenuItems {
  const rows: MenuItems[number][] = [];
  for (const id of ids) {
    const action = registered.get(id);
    if (id === '-') {
      if (isAction(rows.at(-1))) rows.push('separator');
    } else if (id.startsWith('#')) {
      while (rows.length > 0 && !isAction(rows.at(-1))) rows.pop();
      rows.push({ heading: i18n.global.t(id.slice(1)) });
    } else if (action && isEnabled(action)) {
      rows.push({
        id,
        label: labelOf(action),
        icon: action.icon,
        shortcut: action.shortcuts?.[0] ? showShortcut(action.shortcuts[0]) : undefined,
        danger: action.danger,
        disabled: (action.blocked?.() ?? null) !== null,
        hint: action.blocked?.() ?? undefined,
        checked: action.checked?.(),
        run: () => void action.run(),
      });
    }
  }
  while (rows.length > 0 && !isAction(rows.at(-1))) rows.pop();
  return rows;
}

/** Answers the shortcuts of the page. Dialogs, menus and texts keep their own keys. */
export function listenForShortcuts(): void {
  const onKey = (event: KeyboardEvent) => {
    if (event.defaultPrevented || event.isComposing) return;
    const floating = document.querySelector('[role="dialog"][data-state="open"], [role="menu"][data-state="open"]');
    for (const action of registered.values()) {
      const hit = action.shortcuts?.find((shortcut) => matches(event, shortcut));
      if (!hit) continue;
      // The ways to the palette and the search are open while typing too.
      const everywhere = hit === 'mod+k';
      const fromTexts = everywhere || hit === 'mod+f';
      if ((!everywhere && floating) || (!fromTexts && isTyping(event.target))) continue;
      // Enter and Space press the button that has the focus.
      if (
        (hit === 'enter' || hit === 'space') &&
        event.target instanceof HTMLElement &&
        event.target.closest('button, a, [role="treeitem"]')
      )
        continue;
      if (!isEnabled(action)) continue;
      event.preventDefault();
      attempt(action);
      return;
    }
  };
  addEventListener('keydown', onKey);
  onScopeDispose(() => removeEventListener('keydown', onKey));
}
