// The search as the page sees it: a question goes to the worker, what is found comes in pieces that are small enough for one
// frame each. The worker is begun with the first question, and reads what there is once.
import { onScopeDispose, watch } from 'vue';
import type { User } from '@/api/session';
import { drive } from '../drive';
import type { Item } from '../project';
import type { Found, FromWorker, ToWorker } from './messages';
import type { Ordering } from './searchIndex';

export interface Question {
  text: string;
  order?: Ordering;
  limit: number;
  /** What one's own space is called in the language of the page. */
  own: string;
}
export interface Progress {
  items: readonly Item[];
  total: number;
  done: boolean;
  /** Whether all entries were looked at. */
  complete: boolean;
}

class SearchClient {
  private readonly worker: Worker;
  private readonly asking = new Map<string, { number: number; hear: (found: Found) => void; end: () => void }>();
  private readonly listeners = new Set<() => void>();
  private count = 0;

  constructor(user: User) {
    this.worker = new Worker(new URL('../../workers/search.ts', import.meta.url), { type: 'module', name: 'search' });
    this.worker.onmessage = ({ data }: MessageEvent<FromWorker>) => {
      if ('found' in data) {
        const waiting = this.asking.get(data.found.slot);
        if (waiting?.number === data.found.number) waiting.hear(data.found);
      } else if ('changed' in data) for (const listener of this.listeners) listener();
      else console.error('the search failed', data.failed);
    };
    this.say({ open: { id: user.id, space: user.space_id } });
  }

  private say(message: ToWorker): void {
    this.worker.postMessage(message);
  }

  /** Tells what is found as it comes. Resolves to null when another question took the place of this one. */
  ask(slot: string, question: Question, onProgress?: (progress: Progress) => void): Promise<Progress | null> {
    this.asking.get(slot)?.end();
    this.count += 1;
    const number = this.count;
    return new Promise((resolve) => {
      const items: Item[] = [];
      const hear = (found: Found) => {
        items.push(...found.items);
        const progress = {
          items: [...items],
          total: found.total,
          done: found.done,
          complete: found.complete,
        };
        onProgress?.(progress);
        if (!found.done) return;
        this.asking.delete(slot);
        resolve(progress);
      };
      this.asking.set(slot, { number, hear, end: () => resolve(null) });
      const order = question.order ?? { sort: 'rank', descending: false };
      this.say({ ask: { ...question, order: { ...order }, slot, number } });
    });
  }

  onChange(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  close(): void {
    this.worker.terminate();
    for (const waiting of this.asking.values()) waiting.end();
  }
}

let client: { user: string; it: SearchClient } | null = null;

function current(): SearchClient {
  const user = drive.value?.user;
  if (!user) throw new Error('nobody is signed in whose files could be searched');
  if (client?.user !== user.id) {
    client?.it.close();
    client = { user: user.id, it: new SearchClient(user) };
  }
  return client.it;
}
watch(drive, (now) => {
  if (client && client.user !== now?.user.id) {
    client.it.close();
    client = null;
  }
});

/** Has everything read already when the first question comes. */
export const warmUp = () => void current();

export const search = (slot: string, question: Question, onProgress?: (progress: Progress) => void) =>
  current().ask(slot, question, onProgress);

/** Calls back when what was found may be different now, for as long as the calling component lives. */
export function onSearchChange(listener: () => void): void {
  onScopeDispose(current().onChange(listener));
}
