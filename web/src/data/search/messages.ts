// What the page and the worker of the search say to each other.
import type { Item } from '../project';
import type { Ordering } from './searchIndex';

/** Whose files are searched, and what their own space is called in the language of the page. */
export interface Who {
  id: string;
  space: string;
}

export interface Ask {
  /** Whoever asks again in the same place does not wait for the answer before. */
  slot: string;
  number: number;
  text: string;
  order: Ordering;
  limit: number;
  /** The name of one's own space. */
  own: string;
}

export interface Found {
  slot: string;
  number: number;
  /** What comes after what was told before. */
  items: Item[];
  total: number;
  done: boolean;
  /** Whether all entries were looked at: at the very first they are still being read. */
  complete: boolean;
}

export type ToWorker = { open: Who } | { ask: Ask };
export type FromWorker = { found: Found } | { changed: true } | { failed: string };
