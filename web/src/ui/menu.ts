// What a menu is made of, whichever way it is opened.
import type { Component } from 'vue';

export interface MenuEntry {
  id: string;
  label: string;
  icon?: Component;
  shortcut?: string;
  danger?: boolean;
  disabled?: boolean;
  /** Why it is disabled. */
  hint?: string;
  /** A check mark; `undefined` for entries that are not switches. */
  checked?: boolean;
  run: () => void;
}
/** Words over the rows that follow. */
export interface MenuHeading {
  heading: string;
}
export type MenuItems = readonly (MenuEntry | MenuHeading | 'separator')[];
