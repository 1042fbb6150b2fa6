// Files on their way into a drop box: a few at a time, each with its own fate. What failed can be sent again; what lost
// the connection goes on by itself when that is back. A file is sent whole each time, as a link has no resumable uploads.
import { computed, onScopeDispose, reactive } from 'vue';
import { Problem } from '@/api/problem';
import type { Found } from './dropped';

export interface Drop {
  id: number;
  name: string;
  /** The folders that it was in. */
  from: string;
  size: number;
  file: File;
  state: 'waiting' | 'sending' | 'done' | 'failed';
  sent: number;
  /** What went wrong; its status is 0 while the connection is waited for. */
  problem: Problem | null;
}

/** The page stays quick however many files there are: of each kind so many are shown, and all are counted. */
const mostOfAKind = 100;
export function shownOf(list: readonly Drop[]): Drop[] {
  const kept = new Set(
    (['failed', 'waiting'] as const).flatMap((state) =>
      list.filter((drop) => drop.state === state).slice(0, mostOfAKind),
    ),
  );
  for (const drop of list.filter((one) => one.state === 'done').slice(-mostOfAKind)) kept.add(drop);
  return list.filter((drop) => drop.state === 'sending' || kept.has(drop));
}

export type Send = (drop: Drop, onProgress: (sent: number) => void, signal: AbortSignal) => Promise<void>;

const maxAtOnce = 3;
const offlinePauseMs = 3_000;

export class Drops {
  readonly list: Drop[] = reactive([]);
  readonly done = computed(() => this.list.filter((drop) => drop.state === 'done').length);
  readonly failed = computed(() => this.list.filter((drop) => drop.state === 'failed'));
  readonly busy = computed(() => this.list.some((drop) => drop.state === 'waiting' || drop.state === 'sending'));
  /** How much of all bytes has gone, from 0 to 1. Empty files count as one byte, so that they count. */
  readonly share = computed(() => {
    const whole = this.list.reduce((sum, drop) => sum + Math.max(1, drop.size), 0);
    const sent = this.list.reduce((sum, drop) => sum + (drop.state === 'done' ? Math.max(1, drop.size) : drop.sent), 0);
    return whole === 0 ? 0 : sent / whole;
  });
  private readonly stops = new Map<number, AbortController>();
  private lastId = 0;
  private pause: ReturnType<typeof setTimeout> | null = null;

  constructor(private readonly send: Send) {}

  add(found: readonly Found[]): void {
    for (const { file, from } of found) {
      this.lastId += 1;
      this.list.push({
        id: this.lastId,
        name: file.name.normalize('NFC'),
        from: from.normalize('NFC'),
        size: file.size,
        file,
        state: 'waiting',
        sent: 0,
        problem: null,
      });
    }
    this.pump();
  }

  retry(drops: readonly Drop[] = this.failed.value): void {
    for (const drop of drops) {
      drop.state = 'waiting';
      drop.problem = null;
    }
    this.wake();
  }

  cancel(drop: Drop): void {
    const at = this.list.findIndex((one) => one.id === drop.id);
    if (at >= 0) this.list.splice(at, 1);
    this.stops.get(drop.id)?.abort();
    this.pump();
  }

  /** There is reason to think that the server can be reached again. */
  wake(): void {
    if (this.pause) clearTimeout(this.pause);
    this.pause = null;
    this.pump();
  }

  close(): void {
    if (this.pause) clearTimeout(this.pause);
    for (const stop of this.stops.values()) stop.abort();
  }

  private pump(): void {
    if (this.pause) return;
    const free = maxAtOnce - this.list.filter((drop) => drop.state === 'sending').length;
    for (const drop of this.list.filter((one) => one.state === 'waiting').slice(0, Math.max(0, free)))
      void this.begin(drop);
  }

  private async begin(drop: Drop): Promise<void> {
    drop.state = 'sending';
    drop.sent = 0;
    drop.problem = null;
    const stop = new AbortController();
    this.stops.set(drop.id, stop);
    try {
      await this.send(drop, (sent) => (drop.sent = sent), stop.signal);
      drop.sent = drop.size;
      drop.state = 'done';
    } catch (error) {
      if (stop.signal.aborted) return;
      drop.sent = 0;
      drop.problem = error instanceof Problem ? error : Problem.offline(error);
      if (drop.problem.status === 0) {
        drop.state = 'waiting';
        this.pause ??= setTimeout(() => this.wake(), offlinePauseMs);
      } else {
        drop.state = 'failed';
      }
    } finally {
      this.stops.delete(drop.id);
      this.pump();
    }
  }
}

export function useDrops(send: Send): Drops {
  const drops = new Drops(send);
  const stop = new AbortController();
  addEventListener('online', () => drops.wake(), { signal: stop.signal });
  addEventListener('beforeunload', (event) => drops.busy.value && event.preventDefault(), { signal: stop.signal });
  onScopeDispose(() => {
    stop.abort();
    drops.close();
  });
  return drops;
}
