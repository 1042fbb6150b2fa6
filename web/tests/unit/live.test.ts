// The socket against a server played by hand: who is there, which spaces, silence, refusals, and coming back.
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Live, type LiveEvents, type LiveTokens } from '@/data/sync/live';
import { asSocket, FakeSocket } from './fakeSocket';

let sockets: FakeSocket[];
let told: string[];
let live: Live;
let session: { access: string; accessUntil: number } | null;
let renewed: string[];
let watcher: (session: { access: string; accessUntil: number } | null) => void;
let renew: () => Promise<string | null>;

const events: LiveEvents = {
  opened: () => told.push('opened'),
  closed: () => told.push('closed'),
  pushed: (push) => told.push(`pushed ${push.since} ${push.next}`),
  behind: (space, next) => told.push(`behind ${space} ${next}`),
  given: () => told.push('given'),
  ended: (space, code) => told.push(`ended ${space} ${code}`),
};
const tokens: LiveTokens = {
  access: async () => session?.access ?? null,
  renew: (stale) => {
    renewed.push(stale);
    return renew();
  },
  watch: (onChange) => {
    watcher = onChange;
    onChange(session);
    return { unsubscribe: () => undefined };
  },
};
const socket = () => sockets.at(-1)!;
const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms);

beforeEach(() => {
  vi.useFakeTimers();
  // The longest pauses that chance allows.
  vi.spyOn(Math, 'random').mockReturnValue(1);
  sockets = [];
  told = [];
  renewed = [];
  session = { access: 'token 1', accessUntil: Date.now() + 900_000 };
  renew = async () => 'token 2';
  live = new Live(events, () => (sockets.push(new FakeSocket()), asSocket(socket())), tokens);
});
afterEach(() => {
  live.close();
  vi.useRealTimers();
});

async function open(): Promise<void> {
  live.start();
  await pass(0);
  socket().accept();
}

it('says who is there first, then follows each space once from its cursor', async () => {
  live.start();
  await pass(0);
  live.follow('spc_1', '1.4');
  expect(socket().sent).toEqual([]);
  socket().onopen?.();
  expect(socket().sent).toEqual([{ id: 1, do: 'hello', token: 'token 1' }]);
  expect(live.open).toBe(false);
  socket().say({ reply: 1, ok: { user: 'usr_1', session: 'ses_1' } });
  expect(told).toEqual(['opened']);
  live.follow('spc_1', '1.4');
  live.follow('spc_1', '1.9');
  expect(socket().sent.slice(1)).toEqual([{ id: 2, do: 'follow', space: 'spc_1', since: '1.4' }]);
  expect(live.follows('spc_1')).toBe(true);
});

it('passes on what the server says', async () => {
  await open();
  live.follow('spc_1', '1.4');
  socket().say({ push: 'changes', space: 'spc_1', since: '1.4', next: '1.5', items: [] });
  socket().say({ push: 'behind', space: 'spc_1', next: '1.90' });
  socket().say({ push: 'spaces' });
  socket().say({ push: 'ended', space: 'spc_1', error: { code: 'not-found' } });
  expect(told.slice(1)).toEqual(['pushed 1.4 1.5', 'behind spc_1 1.90', 'given', 'ended spc_1 not-found']);
  expect(live.follows('spc_1')).toBe(false);
});

it('takes a refusal to follow for the end of it', async () => {
  await open();
  live.follow('spc_1', '0.1');
  socket().say({ reply: socket().sent.at(-1)!.id, error: { code: 'cursor-gone' } });
  expect(told.at(-1)).toBe('ended spc_1 cursor-gone');
  expect(live.follows('spc_1')).toBe(false);
  expect(live.open).toBe(true);
});

it('says hello again with each new token, and opens anew for another session', async () => {
  await open();
  watcher({ access: 'token 1', accessUntil: Date.now() + 900_000 });
  expect(socket().sent).toHaveLength(1);
  watcher({ access: 'token 2', accessUntil: Date.now() + 900_000 });
  expect(socket().sent.at(-1)).toMatchObject({ do: 'hello', token: 'token 2' });
  socket().say({ reply: socket().sent.at(-1)!.id, ok: {} });
  expect(told).toEqual(['opened']);
  watcher({ access: 'of another', accessUntil: Date.now() + 900_000 });
  socket().say({ reply: socket().sent.at(-1)!.id, error: { code: 'invalid-request' } });
  expect(told).toEqual(['opened', 'closed']);
  session = { access: 'of another', accessUntil: 0 };
  await pass(1_000);
  socket().onopen?.();
  expect(sockets).toHaveLength(2);
  expect(socket().sent).toEqual([expect.objectContaining({ do: 'hello', token: 'of another' })]);
});

it('has the token renewed before it ends', async () => {
  const access = vi.spyOn(tokens, 'access');
  await open();
  access.mockClear();
  for (let at = 0; at < 44; at += 1) {
    await pass(20_000);
    socket().answerPings();
  }
  expect(access).toHaveBeenCalledTimes(1);
});

describe('coming back', () => {
  it('waits longer and longer, up to a limit, while nobody answers', async () => {
    live.start();
    await pass(0);
    const pauses: number[] = [];
    for (let round = 0; round < 8; round += 1) {
      const since = Date.now();
      const count = sockets.length;
      socket().onclose?.({ code: 1006 });
      while (sockets.length === count) await pass(100);
      pauses.push(Date.now() - since);
    }
    expect(pauses).toEqual([1_000, 2_000, 4_000, 8_000, 15_000, 15_000, 15_000, 15_000]);
    expect(told).toEqual([]);
  });

  it.each([1001, 1006, 4408])('comes back soon when a steady connection closed with %d', async (code) => {
    await open();
    await pass(6_000);
    socket().onclose?.({ code });
    expect(told).toEqual(['opened', 'closed']);
    expect(live.open).toBe(false);
    await pass(500);
    expect(sockets).toHaveLength(2);
    expect(renewed).toEqual([]);
    socket().accept();
    live.follow('spc_1', '1.5');
    expect(socket().sent.at(-1)).toMatchObject({ do: 'follow', since: '1.5' });
  });

  it('does not hurry to a server that closes at once', async () => {
    await open();
    for (const pause of [1_000, 2_000, 4_000]) {
      const count = sockets.length;
      socket().onclose?.({ code: 1006 });
      await pass(pause - 100);
      expect(sockets).toHaveLength(count);
      await pass(100);
      expect(sockets).toHaveLength(count + 1);
      socket().accept();
    }
  });

  it('renews the token after 4401 before it tries again', async () => {
    let answer: (token: string) => void = () => undefined;
    renew = () => new Promise((resolve) => (answer = resolve));
    await open();
    await pass(6_000);
    socket().onclose?.({ code: 4401 });
    expect(renewed).toEqual(['token 1']);
    await pass(60_000);
    expect(sockets).toHaveLength(1);
    session = { access: 'token 2', accessUntil: Date.now() + 900_000 };
    answer('token 2');
    await pass(1_000);
    socket().onopen?.();
    expect(socket().sent).toEqual([expect.objectContaining({ do: 'hello', token: 'token 2' })]);
  });

  it('rests when nobody is signed in any more', async () => {
    await open();
    session = null;
    renew = async () => null;
    socket().onclose?.({ code: 4401 });
    await pass(60_000);
    expect(sockets).toHaveLength(1);
  });

  it('tries at once when there is reason to, and never twice at a time', async () => {
    live.start();
    await pass(0);
    for (let round = 0; round < 6; round += 1) {
      socket().onclose?.({ code: 1006 });
      if (round < 5) await pass(15_000);
    }
    const count = sockets.length;
    live.hurry();
    live.hurry();
    await pass(0);
    expect(sockets).toHaveLength(count + 1);
    await pass(5_000);
    expect(sockets).toHaveLength(count + 1);
  });

  it('notices a connection that died without a word', async () => {
    await open();
    await pass(20_000);
    expect(socket().sent.at(-1)).toMatchObject({ do: 'ping' });
    socket().answerPings();
    await pass(20_000);
    const dead = socket();
    await pass(8_000);
    expect(told).toEqual(['opened', 'closed']);
    expect(dead.closed).toBe(true);
    // What it says after all counts no more.
    dead.say({ push: 'behind', space: 'spc_1', next: '1.9' });
    dead.onclose?.({ code: 1006 });
    expect(told).toEqual(['opened', 'closed']);
    await pass(500);
    expect(sockets).toHaveLength(2);
  });

  it('asks at once whether the connection lives when the browser doubts it', async () => {
    await open();
    live.hurry();
    expect(socket().sent.at(-1)).toMatchObject({ do: 'ping' });
    await pass(8_000);
    expect(told).toEqual(['opened', 'closed']);
  });

  it('gives up a socket that never opens, and one that speaks nonsense', async () => {
    live.start();
    await pass(8_000);
    expect(socket().closed).toBe(true);
    await pass(1_000);
    expect(sockets).toHaveLength(2);
    socket().accept();
    socket().onmessage?.({ data: '{' });
    expect(told).toEqual(['opened', 'closed']);
  });

  it('stays away once closed', async () => {
    await open();
    live.close();
    live.hurry();
    await pass(60_000);
    expect(sockets).toHaveLength(1);
    expect(told).toEqual(['opened']);
  });
});
