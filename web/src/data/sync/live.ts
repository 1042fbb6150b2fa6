// One socket to the server, over which it says what happened. It looks after itself: it says again who is there when the
// token is renewed, notices a connection that died without a word, and comes back with longer and longer pauses. What it
// hears it passes on; nothing here knows the database.
import { accessToken, renewToken, watchSession, type Session } from '@/api/session';
import type { Change } from './pull';

export type LiveSocket = Pick<WebSocket, 'onopen' | 'onmessage' | 'onclose' | 'send' | 'close' | 'readyState'>;

export interface LiveTokens {
  access(): Promise<string | null>;
  renew(stale: string): Promise<string | null>;
  watch(onChange: (session: Pick<Session, 'access' | 'accessUntil'> | null) => void): { unsubscribe(): void };
}

/** Everything between the two cursors. */
export interface Pushed {
  space: string;
  since: string;
  next: string;
  items: Change[];
}

export interface LiveEvents {
  /** The server knows who is there: spaces can be followed. */
  opened(): void;
  closed(): void;
  pushed(push: Pushed): void;
  /** There is more than a push holds. */
  behind(space: string, next: string): void;
  /** What spaces there are for this account, or what is shared with it, became another. */
  given(): void;
  /** A space is not followed, or no longer; `code` is the server's word for why. */
  ended(space: string, code: string): void;
}

const protocol = 'holdfast.v1';
const unauthenticated = 4401;
/** `WebSocket.OPEN`. */
const openState = 1;
const firstDelayMs = 500;
const longestDelayMs = 15_000;
/** A connection that was shorter counts as one more that failed. */
const steadyMs = 5_000;
/** How often an answer is asked for, and how long it may take: the server's own pings are not shown to a page. */
const pingMs = 20_000;
const answerMs = 8_000;
/** How long before its end a token is renewed: inside the margin in which it no longer counts as good. */
const renewAheadMs = 20_000;

const openSocket = (): LiveSocket =>
  new WebSocket(new URL('/api/v1/live', location.href).href.replace(/^http/, 'ws'), protocol);

export class Live {
  private socket: LiveSocket | null = null;
  private welcome = false;
  private token: string | null = null;
  private readonly followed = new Set<string>();
  private readonly asked = new Map<number, { what: 'hello' | 'ping' } | { what: 'follow'; space: string }>();
  private lastId = 0;
  private openedAt = 0;
  private failures = 0;
  private connecting = false;
  private closed = false;
  private retry: ReturnType<typeof setTimeout> | undefined;
  private beat: ReturnType<typeof setTimeout> | undefined;
  private deadline: ReturnType<typeof setTimeout> | undefined;
  private renewal: ReturnType<typeof setTimeout> | undefined;
  private session: { unsubscribe(): void } | null = null;

  constructor(
    private readonly events: LiveEvents,
    private readonly make: () => LiveSocket = openSocket,
    private readonly tokens: LiveTokens = { access: accessToken, renew: renewToken, watch: watchSession },
  ) {}

  /** Whether the server knows who is there and tells what happens. */
  get open(): boolean {
    return this.welcome;
  }

  start(): void {
    this.session = this.tokens.watch((session) => {
      clearTimeout(this.renewal);
      if (!session || this.closed) return;
      if (this.welcome && session.access !== this.token) this.hello(session.access);
      this.renewal = setTimeout(
        () => void this.tokens.access().catch(() => undefined),
        Math.max(1_000, session.accessUntil - Date.now() - renewAheadMs),
      );
    });
    void this.connect();
  }

  close(): void {
    this.closed = true;
    this.session?.unsubscribe();
    for (const timer of [this.retry, this.renewal]) clearTimeout(timer);
    this.drop();
  }

  /** There is reason to think that the server can be reached, or no longer can: finds out now. */
  hurry(): void {
    if (this.closed) return;
    if (this.welcome) this.ping();
    else if (!this.socket && !this.connecting) {
      clearTimeout(this.retry);
      void this.connect();
    }
  }

  follows(space: string): boolean {
    return this.followed.has(space);
  }

  /** Asks for what happens in a space after `since`. */
  follow(space: string, since: string): void {
    if (!this.welcome || this.followed.has(space)) return;
    this.followed.add(space);
    this.command({ do: 'follow', space, since }, { what: 'follow', space });
  }

  private async connect(): Promise<void> {
    if (this.closed || this.socket || this.connecting) return;
    this.connecting = true;
    let token: string | null = null;
    try {
      token = await this.tokens.access();
    } catch {
      // The server cannot be reached even for a token.
    }
    this.connecting = false;
    if (this.closed) return;
    if (token === null) {
      this.failures += 1;
      this.later();
      return;
    }
    const first = token;
    const socket = this.make();
    this.socket = socket;
    this.openedAt = Date.now();
    // What never answers at all is given up like what stops answering.
    this.deadline = setTimeout(() => this.lost(0), answerMs);
    socket.onopen = () => this.hello(first);
    socket.onmessage = ({ data }: MessageEvent<unknown>) => {
      if (this.socket === socket && typeof data === 'string') this.hear(data);
    };
    socket.onclose = ({ code }) => {
      if (this.socket === socket) this.lost(code);
    };
  }

  private hello(token: string): void {
    this.token = token;
    this.command({ do: 'hello', token }, { what: 'hello' });
  }

  private ping(): void {
    clearTimeout(this.beat);
    this.command({ do: 'ping' }, { what: 'ping' });
  }

  private command(
    command: Record<string, unknown>,
    about: { what: 'hello' | 'ping' } | { what: 'follow'; space: string },
  ): void {
    this.lastId += 1;
    this.asked.set(this.lastId, about);
    // One that is closing says so in a moment, and until then a browser complains of what is sent.
    if (this.socket && !(this.socket.readyState > openState))
      this.socket.send(JSON.stringify({ id: this.lastId, ...command }));
    clearTimeout(this.deadline);
    this.deadline = setTimeout(() => this.lost(0), answerMs);
  }

  private hear(text: string): void {
    let message: Record<string, unknown>;
    try {
      message = JSON.parse(text) as Record<string, unknown>;
    } catch {
      this.lost(0);
      return;
    }
    clearTimeout(this.deadline);
    clearTimeout(this.beat);
    this.beat = setTimeout(() => this.ping(), pingMs);
    const space = String(message.space);
    if (message.push === 'changes') this.events.pushed(message as unknown as Pushed);
    else if (message.push === 'behind') this.events.behind(space, String(message.next));
    else if (message.push === 'ended') this.leave(space, message.error);
    else if (message.push === 'spaces') this.events.given();
    else if (typeof message.reply === 'number') this.answered(message.reply, message.error);
  }

  private answered(id: number, error: unknown): void {
    const about = this.asked.get(id);
    this.asked.delete(id);
    if (about?.what === 'follow' && error) this.leave(about.space, error);
    if (about?.what !== 'hello') return;
    // Refused at first, the server's closing tells why. Later it means that the token is of another session.
    if (error && this.welcome) this.lost(0);
    else if (!error && !this.welcome) {
      this.welcome = true;
      this.events.opened();
    }
  }

  private leave(space: string, error: unknown): void {
    this.followed.delete(space);
    const code = (error as { code?: unknown } | null)?.code;
    this.events.ended(space, typeof code === 'string' ? code : 'unknown');
  }

  /** Forgets the socket; nothing it says any more counts. */
  private drop(): void {
    for (const timer of [this.beat, this.deadline]) clearTimeout(timer);
    this.socket?.close();
    this.socket = null;
    this.welcome = false;
    this.followed.clear();
    this.asked.clear();
  }

  private lost(code: number): void {
    const known = this.welcome;
    const token = this.token;
    this.drop();
    if (this.closed) return;
    this.failures = known && Date.now() - this.openedAt >= steadyMs ? 0 : this.failures + 1;
    if (known) this.events.closed();
    if (code !== unauthenticated || token === null) {
      this.later();
      return;
    }
    // A token may be taken back before its time, which its hour does not show. That nobody is signed in any more is for the
    // session to tell, which closes this too.
    void this.tokens
      .renew(token)
      .catch(() => null)
      .finally(() => this.later());
  }

  private later(): void {
    if (this.closed) return;
    const delay = Math.min(longestDelayMs, firstDelayMs * 2 ** Math.min(this.failures, 10));
    clearTimeout(this.retry);
    this.retry = setTimeout(() => void this.connect(), delay * (0.5 + Math.random() / 2));
  }
}
