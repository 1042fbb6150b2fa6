// Renewing the session while the connection plays dead.
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { currentSession, renewToken, signIn } from '@/api/session';

const second = 1_000;
const tokens = (access: string) =>
  Response.json({ access_token: access, expires_in: 900, refresh_token: `r-${access}`, user: { id: 'usr_1' } });
let asked: string[];
let answers: (() => Promise<Response>)[];
const silence = () => new Promise<Response>(() => undefined);

beforeEach(async () => {
  const request = (_: string, work: () => Promise<unknown>) => work();
  Object.defineProperty(navigator, 'locks', { value: { request }, configurable: true });
  asked = [];
  answers = [() => Promise.resolve(tokens('first'))];
  vi.stubGlobal('fetch', async (request: Request, { signal }: { signal: AbortSignal }) => {
    const { refresh_token } = (await request.clone().json()) as { refresh_token?: string };
    if (refresh_token) asked.push(refresh_token);
    const cut = new Promise<never>((_, reject) =>
      signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true }),
    );
    return Promise.race([answers.shift()!(), cut]);
  });
  await signIn('mia', 'correct-horse-9', 'Test');
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});
const passes = async (ms: number) => {
  for (let at = 0; at < ms; at += second) await vi.advanceTimersByTimeAsync(second);
};

it('asks again while the server still takes the token whose answer was not heard', async () => {
  answers = [silence, () => Promise.resolve(tokens('second'))];
  const renewed = renewToken('first');
  await vi.waitFor(() => expect(asked).toEqual(['r-first']));
  // Ten seconds after it was spent, the same token would end the session.
  await passes(9 * second);
  expect(await renewed).toBe('second');
  expect(asked).toEqual(['r-first', 'r-first']);
});

it('gives up where nothing answers, and signs nobody out', async () => {
  answers = [silence, silence];
  const renewed = renewToken('first');
  renewed.catch(() => undefined);
  await vi.waitFor(() => expect(asked).toHaveLength(1));
  await passes(40 * second);
  await expect(renewed).rejects.toMatchObject({ status: 0, code: 'offline' });
  expect((await currentSession())?.access).toBe('first');
});
