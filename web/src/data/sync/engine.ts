// Keeps the local copy and the server in step. Every tab has one; the tab that holds the lock does the work for all,
// the others ask it to. Without Web Locks each tab works for itself, which is wasteful but right.
import { reactive } from 'vue';
import { Problem, isProblem } from '@/api/problem';
import type { DriveDb } from '../db';
import { drain } from '../outbox/runner';
import type { Note } from '../outbox/send';
import { pullSpace, pullSpaces } from './pull';
import { Away } from './review';

/** How often a visible page asks for changes. There is no live connection yet, so this is how soon others are seen. */
const visiblePollMs = 4_000;
const hiddenPollMs = 60_000;
/** A page that is looked at finds the server again within this time. */
const longestBackoffMs = 12_000;

export interface SyncState {
  /** `offline` while the server cannot be reached. */
  link: 'starting' | 'online' | 'offline';
  busy: boolean;
  problem: Problem | null;
  lastAt: number | null;
}

type Message = { type: 'kick' } | { type: 'state'; state: Omit<SyncState, 'problem'> } | { type: 'note'; note: Note };

export class Sync {
  readonly state: SyncState = reactive({ link: 'starting', busy: false, problem: null, lastAt: null });
  private readonly channel: BroadcastChannel;
  private readonly stop = new AbortController();
  private leader = false;
  private wake: (() => void) | null = null;
  private kicked = false;
  private failures = 0;
  /** Since the connection went, or since this page began with changes that wait; null while all is well. */
  private away: Away | null = null;

  constructor(
    private readonly db: DriveDb,
    private readonly onNote: (note: Note) => void,
  ) {
    this.channel = new BroadcastChannel(`${db.name}-sync`);
    this.channel.onmessage = (event: MessageEvent<Message>) => this.hear(event.data);
  }

  start(): void {
    const options = { signal: this.stop.signal };
    globalThis.addEventListener('online', () => this.kick(), options);
    globalThis.addEventListener('offline', () => this.kick(), options);
    document.addEventListener('visibilitychange', () => document.visibilityState === 'visible' && this.kick(), options);
    if ('locks' in navigator) {
      navigator.locks
        .request(`${this.db.name}-leader`, { signal: this.stop.signal }, () => this.lead())
        .catch(() => undefined);
    } else {
      void this.lead();
    }
  }

  close(): void {
    this.stop.abort();
    this.wake?.();
    this.channel.close();
  }

  /** Something is to be sent, or may have come: do not wait for the next round. */
  kick(): void {
    this.kicked = true;
    if (this.leader) this.wake?.();
    else this.channel.postMessage({ type: 'kick' } satisfies Message);
  }

  private hear(message: Message): void {
    if (message.type === 'kick') {
      if (this.leader) this.kick();
    } else if (message.type === 'state') {
      if (!this.leader) Object.assign(this.state, message.state);
    } else {
      this.onNote(message.note);
    }
  }

  private tell(change: Partial<SyncState>): void {
    Object.assign(this.state, change);
    const { link, busy, lastAt } = this.state;
    if (!this.stop.signal.aborted)
      this.channel.postMessage({ type: 'state', state: { link, busy, lastAt } } satisfies Message);
  }

  private async lead(): Promise<void> {
    this.leader = true;
    const waiting = await this.db.ops.where('state').equals('waiting').first();
    if (waiting) this.away = new Away(waiting.at);
    while (!this.stop.signal.aborted) {
      this.kicked = false;
      const waitMs = await this.round();
      if (this.kicked || this.stop.signal.aborted) continue;
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, waitMs);
        this.wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
      this.wake = null;
    }
  }

  /** Sends, then pulls. Returns how long to rest. */
  private async round(): Promise<number> {
    this.tell({ busy: true });
    try {
      const drained = await drain(
        this.db,
        (note) => this.pass(note),
        Date.now,
        (op, outcome) => this.away?.sent(op, outcome),
      );
      if (drained.state === 'later' && drained.problem.status === 0) throw drained.problem;
      await pullSpaces(this.db);
      for (const space of await this.db.spaces.toArray()) await pullSpace(this.db, space.id, this.away);
      this.failures = 0;
      if (drained.state === 'empty') await this.returned();
      this.tell({ link: 'online', busy: false, problem: null, lastAt: Date.now() });
      const poll = document.visibilityState === 'visible' ? visiblePollMs : hiddenPollMs;
      return drained.state === 'later' ? Math.min(poll, drained.afterMs) : poll;
    } catch (error) {
      const problem = error instanceof Problem ? error : Problem.offline(error);
      this.failures += 1;
      this.away ??= new Away(new Date(this.state.lastAt ?? Date.now()).toISOString());
      // A 401 is for the session to deal with: it signs out or renews, and the next round tells.
      this.tell({ link: isProblem(problem) && problem.passing ? 'offline' : this.state.link, busy: false, problem });
      const longest = document.visibilityState === 'visible' ? longestBackoffMs : hiddenPollMs;
      return Math.min(longest, 500 * 2 ** Math.min(this.failures, 10)) * (0.75 + Math.random() / 2);
    }
  }

  /** Everything has met: what a person should know of it is written down. */
  private async returned(): Promise<void> {
    const review = this.away?.finish(Date.now());
    this.away = null;
    if (review) await this.db.reviews.add(review);
  }

  private pass(note: Note): void {
    this.onNote(note);
    this.channel.postMessage({ type: 'note', note } satisfies Message);
  }
}
