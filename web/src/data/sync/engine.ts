// Keeps the local copy and the server in step. Every tab has one; the tab that holds the lock does the work for all,
// the others ask it to. Without Web Locks each tab works for itself, which is wasteful but right.
//
// While there is a socket the server tells what happens, and what it tells is written down as it comes as long as it goes
// on exactly where this device is. Everything else (a beginning, a gap, a doubt) is settled by a pull.
import { reactive } from 'vue';
import { Problem, isProblem } from '@/api/problem';
import type { DriveDb } from '../db';
import type { Note } from '../outbox/send';
import { Live, type LiveSocket, type LiveTokens, type Pushed } from './live';
import { applyPage, pullShared, pullSpace, pullSpaces } from './pull';
import { Away } from './review';

/** How often changes are asked for: while nobody tells them, and as a net below the socket. */
const pollMs = 15_000;
const restMs = 60_000;
/** A page that is looked at finds the server again within this time. */
const longestBackoffMs = 12_000;
/** After a push, the time in which more may come before the room that is used is asked for. */
const roomMs = 1_000;
/** How soon a space that ended is pulled: at once, and a little later where the last one ended a moment ago; with the next
 * poll where a pull mends nothing. */
const endedMs = 50;
const mendMs = 1_000;
const quietMs = 10_000;
/** How soon what one was given is asked for. */
const givenMs = 50;
/** Not everybody is told that they were given a space: who comes back to the page looks for it, at most this often. */
const lookMs = 1_500;
/** All browsers lose a server that stops at the same moment. They do not all come back in the same. */
const scatterMs = 800;

/** A problem as it goes from tab to tab. */
export interface Trouble {
  status: number;
  code: string;
  message: string;
  requestId: string | null;
}

export interface SyncState {
  /** `offline` while the server cannot be reached. */
  link: 'starting' | 'online' | 'offline';
  busy: boolean;
  /** Why the last round failed, until one succeeds. */
  problem: Trouble | null;
  lastAt: number | null;
}

type Message = { type: 'kick' } | { type: 'look' } | { type: 'state'; state: SyncState } | { type: 'note'; note: Note };

/** An answer that was cut, or a piece of the page that cannot be fetched, is a connection that is away. What else is no
 * problem of a call went wrong on this device: as a rule, the browser could not write. */
function problemOf(error: unknown): Problem {
  if (error instanceof Problem) return error;
  if (error instanceof TypeError || error instanceof SyntaxError) return Problem.offline(error);
  return new Problem(0, 'device', String(error));
}

export class Sync {
  readonly state: SyncState = reactive({ link: 'starting', busy: false, problem: null, lastAt: null });
  private readonly channel: BroadcastChannel;
  private readonly stop = new AbortController();
  private readonly live: Live;
  private leader = false;
  private wake: (() => void) | null = null;
  private kicked = false;
  private failures = 0;
  private endedAt = -Infinity;
  private lookedAt = -Infinity;
  /** Whether the server may know more than it has told here. */
  private stale = true;
  private pushes: Pushed[] = [];
  private readonly timers = new Map<string, ReturnType<typeof setTimeout>>();
  /** Since the connection went, or since this page began with changes that wait; null while all is well. */
  private away: Away | null = null;

  constructor(
    private readonly db: DriveDb,
    private readonly onNote: (note: Note) => void,
    socket?: () => LiveSocket,
    tokens?: LiveTokens,
  ) {
    this.channel = new BroadcastChannel(`${db.name}-sync`);
    this.channel.onmessage = (event: MessageEvent<Message>) => this.hear(event.data);
    this.live = new Live(
      {
        opened: () => this.doubt(),
        closed: () => {
          this.stale = true;
          this.after('closed', Math.random() * scatterMs, () => this.doubt());
        },
        pushed: (push) => {
          this.pushes.push(push);
          this.wake?.();
        },
        behind: () => this.doubt(),
        // A group that is given ten folders is told ten times.
        given: () => this.after('given', givenMs, () => this.doubt()),
        ended: (_, code) => {
          const mends = code === 'cursor-gone' || code === 'not-found';
          const again = Date.now() - this.endedAt < quietMs;
          this.endedAt = Date.now();
          this.after('ended', mends ? (again ? mendMs : endedMs) : pollMs, () => this.doubt());
        },
      },
      socket,
      tokens,
    );
  }

  start(): void {
    const options = { signal: this.stop.signal };
    // What the browser says of the connection is a hint, not a fact: both are looked into at once.
    const look = () => {
      this.live.hurry();
      if (this.leader) this.doubt();
    };
    globalThis.addEventListener('focus', () => this.lookForSpaces(), options);
    globalThis.addEventListener('online', look, options);
    globalThis.addEventListener('offline', look, options);
    document.addEventListener('visibilitychange', () => document.visibilityState === 'visible' && look(), options);
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
    this.live.close();
    for (const timer of this.timers.values()) clearTimeout(timer);
    this.wake?.();
    this.channel.close();
  }

  /** Something is to be sent, or may have come: do not wait for the next round. */
  kick(): void {
    this.kicked = true;
    if (this.leader) this.wake?.();
    else this.channel.postMessage({ type: 'kick' } satisfies Message);
  }

  /** The server may know more than it has told here: the next round asks, and that is now. */
  doubt(): void {
    this.stale = true;
    this.kick();
  }

  /** Finds spaces that one was given or lost since the last pull; what is in them is pulled only where there is a new one. */
  private lookForSpaces(): void {
    if (Date.now() - this.lookedAt < lookMs) return;
    this.lookedAt = Date.now();
    if (!this.leader) {
      this.channel.postMessage({ type: 'look' } satisfies Message);
      return;
    }
    // That the server is away is for the rounds to notice.
    const look = async () => {
      await pullSpaces(this.db);
      await pullShared(this.db);
      if (!(await this.isTold())) this.doubt();
    };
    void look().catch(() => undefined);
  }

  /** Does something once after a time, however often it is asked for meanwhile. */
  private after(name: string, ms: number, act: () => void): void {
    if (this.timers.has(name) || this.stop.signal.aborted) return;
    this.timers.set(
      name,
      setTimeout(() => {
        this.timers.delete(name);
        act();
      }, ms),
    );
  }

  private hear(message: Message): void {
    if (message.type === 'kick') {
      if (this.leader) this.kick();
    } else if (message.type === 'look') {
      if (this.leader) this.lookForSpaces();
    } else if (message.type === 'state') {
      if (!this.leader) Object.assign(this.state, message.state);
    } else {
      this.onNote(message.note);
    }
  }

  private tell(change: Partial<SyncState>): void {
    Object.assign(this.state, change);
    const { link, busy, lastAt, problem } = this.state;
    if (!this.stop.signal.aborted) {
      const state = { link, busy, lastAt, problem: problem && { ...problem } };
      this.channel.postMessage({ type: 'state', state } satisfies Message);
    }
  }

  private async lead(): Promise<void> {
    this.leader = true;
    const waiting = await this.db.ops.where('state').equals('waiting').first();
    if (this.stop.signal.aborted) return;
    if (waiting) this.away = new Away(waiting.at);
    this.live.start();
    let roundAt = 0;
    while (!this.stop.signal.aborted) {
      if (this.kicked || Date.now() >= roundAt) {
        this.kicked = false;
        roundAt = Date.now() + (await this.round());
      }
      await this.takePushes();
      if (this.kicked || this.pushes.length > 0 || this.stop.signal.aborted) continue;
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, Math.max(0, roundAt - Date.now()));
        this.wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
      this.wake = null;
    }
  }

  /** Sends, then pulls what is not told. Returns how long to rest. */
  private async round(): Promise<number> {
    this.tell({ busy: true });
    const visible = document.visibilityState === 'visible';
    try {
      const laterMs = await this.sendWaiting();
      if (this.stale || !(await this.isTold()) || Date.now() - (this.state.lastAt ?? 0) >= restMs) await this.pull();
      if (this.failures > 0) this.live.hurry();
      this.failures = 0;
      if (laterMs === null) await this.returned();
      this.tell({ link: 'online', busy: false, problem: null, lastAt: Date.now() });
      const rest = visible && !(await this.isTold()) ? pollMs : restMs;
      return Math.min(rest, laterMs ?? rest);
    } catch (error) {
      const problem = problemOf(error);
      this.failures += 1;
      this.stale = true;
      this.away ??= new Away(new Date(this.state.lastAt ?? Date.now()).toISOString());
      // A 401 is for the session to deal with: it signs out or renews, and the next round tells. What else does not pass by
      // itself leaves the connection as it is: the status shows the problem.
      const away = problem.passing && problem.code !== 'device';
      const { status, code, message, requestId } = problem;
      this.tell({
        link: away ? 'offline' : this.state.link,
        busy: false,
        problem: { status, code, message, requestId },
      });
      const longest = visible ? longestBackoffMs : restMs;
      return Math.min(longest, 500 * 2 ** Math.min(this.failures, 10)) * (0.75 + Math.random() / 2);
    }
  }

  /** Sends what waits. Returns after how long to try again, or null when nothing waits any more. */
  private async sendWaiting(): Promise<number | null> {
    if (!(await this.db.ops.where('state').equals('waiting').first())) return null;
    // A start that has nothing to send does without.
    const { drain } = await import('../outbox/runner');
    const drained = await drain(
      this.db,
      (note) => this.pass(note),
      Date.now,
      (op, outcome) => this.away?.sent(op, outcome),
    );
    if (drained.state === 'empty') return null;
    if (drained.problem.status === 0) throw drained.problem;
    return drained.afterMs;
  }

  /** Whether the socket tells everything that happens. */
  private async isTold(): Promise<boolean> {
    if (!this.live.open) return false;
    const spaces = await this.db.spaces.toCollection().primaryKeys();
    return spaces.every((space) => this.live.follows(space));
  }

  private async pull(): Promise<void> {
    // What makes this doubtful from here on asks for another pull.
    this.stale = false;
    await pullSpaces(this.db);
    await pullShared(this.db);
    for (const { id } of await this.db.spaces.toArray()) {
      try {
        await pullSpace(this.db, id, this.away);
      } catch (error) {
        // The role was taken since the spaces were asked for: the next pull forgets it, and it holds up no other.
        if (!isProblem(error, 'not-found')) throw error;
        this.after('taken', mendMs, () => this.doubt());
        continue;
      }
      const cursor = (await this.db.spaces.get(id))?.cursor;
      if (cursor !== undefined && !this.timers.has('ended')) this.live.follow(id, cursor);
    }
  }

  /** Writes down what was pushed, where it goes on exactly from here. */
  private async takePushes(): Promise<void> {
    let took = false;
    for (let push = this.pushes.shift(); push !== undefined; push = this.pushes.shift()) {
      try {
        const space = await this.db.spaces.get(push.space);
        // A pull was faster.
        if (!space || space.cursor === push.next) continue;
        if (space.complete && space.cursor === push.since && !this.stale) {
          await applyPage(this.db, push.space, push.items, push.next, this.away);
          took = true;
          continue;
        }
      } catch (error) {
        console.warn('a push could not be taken', error);
      }
      this.stale = true;
      this.kicked = true;
    }
    if (!took) return;
    this.tell({ lastAt: Date.now() });
    // How much room is used is not in the changes.
    this.after('room', roomMs, () => void pullSpaces(this.db).catch(() => undefined));
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
