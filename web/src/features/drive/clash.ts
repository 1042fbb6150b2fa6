// The question what is to become of names that are taken where something is moved or copied to.
import { shallowRef } from 'vue';
import type { Item } from '@/data/project';

export type Choice = 'rename' | 'skip' | 'replace' | 'merge';
export interface Clash {
  items: readonly Item[];
  /** What can be done about them: a file replaces a file, a folder is merged with a folder. */
  choices: readonly Choice[];
  answer: (choice: Choice | null) => void;
}
export const clash = shallowRef<Clash | null>(null);

/** Those of the items whose names are taken, with what can be chosen: between spaces nothing is replaced or merged. */
export function clashesOf(
  what: readonly Item[],
  there: readonly Item[],
  across = false,
): { items: Item[]; choices: Choice[] } {
  const taken = new Map(there.map((item) => [item.name, item.kind]));
  const items = what.filter((item) => taken.has(item.name));
  const alike = (kind: Item['kind']) =>
    !across && items.some((item) => item.kind === kind && taken.get(item.name) === kind);
  const choices: Choice[] = ['rename', 'skip'];
  if (alike('file')) choices.push('replace');
  if (alike('folder')) choices.push('merge');
  return { items, choices };
}

/** What the server is to do with one item by that choice; what cannot be chosen for it keeps both. */
export function ruleFor(choice: Choice, item: Item): Choice {
  if (choice === 'replace') return item.kind === 'file' ? 'replace' : 'rename';
  if (choice === 'merge') return item.kind === 'folder' ? 'merge' : 'rename';
  return choice;
}

/** `null` when nothing is to be done at all. */
export function askAboutClash(items: readonly Item[], choices: readonly Choice[]): Promise<Choice | null> {
  clash.value?.answer(null);
  return new Promise((resolve) => {
    clash.value = {
      items,
      choices,
      answer: (choice) => {
        clash.value = null;
        resolve(choice);
      },
    };
  });
}
