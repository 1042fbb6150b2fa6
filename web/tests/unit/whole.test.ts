// @vitest-environment node
// Answers that are heard to their end, or given up.
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { authorizedFetch } from '@/api/session';
import { fetchWhole } from '@/api/whole';

const second = 1_000;
let body: ReadableStreamDefaultController<Uint8Array>;
/** Whether the connection was given up. */
let ended: unknown;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  ended = null;
  vi.stubGlobal('fetch', (_: Request, { signal }: { signal: AbortSignal }) => {
    const answer = new ReadableStream<Uint8Array>({ start: (controller) => void (body = controller) });
    signal.addEventListener('abort', () => {
      ended = signal.reason;
      body.error(signal.reason);
    });
    return Promise.resolve(new Response(answer, { status: 200, headers: { 'content-type': 'application/json' } }));
  });
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

const say = (text: string) => body.enqueue(new TextEncoder().encode(text));
const ask = (init?: RequestInit) => {
  const answer = fetchWhole(new Request('https://holdfast.example/api/v1/spaces', init));
  answer.catch(() => undefined);
  return answer;
};

it('hears an answer that comes slowly and never stops for long', async () => {
  const answer = ask();
  for (const part of ['{"items":', '[1,2', ',3]}']) {
    await vi.advanceTimersByTimeAsync(25 * second);
    say(part);
  }
  body.close();
  const whole = await answer;
  expect([whole.status, whole.headers.get('content-type')]).toEqual([200, 'application/json']);
  expect(await whole.json()).toEqual({ items: [1, 2, 3] });
  await vi.advanceTimersByTimeAsync(600 * second);
  expect(ended).toBeNull();
});

it('gives up an answer that stops in its middle, and says that there is no connection', async () => {
  const answer = authorizedFetch(new Request('https://holdfast.example/api/v1/spaces'), fetchWhole);
  answer.catch(() => undefined);
  await vi.waitFor(() => say('{"items":['));
  await vi.advanceTimersByTimeAsync(29 * second);
  expect(ended).toBeNull();
  await vi.advanceTimersByTimeAsync(2 * second);
  expect(ended).toBeInstanceOf(TypeError);
  await expect(answer).rejects.toMatchObject({ status: 0, code: 'offline' });
});

it('waits longer for what changes something', async () => {
  const answer = ask({ method: 'POST', body: '{}' });
  await vi.advanceTimersByTimeAsync(110 * second);
  expect(ended).toBeNull();
  await vi.advanceTimersByTimeAsync(20 * second);
  await expect(answer).rejects.toThrow(TypeError);
});

it('stops at once where nobody wants the answer any more', async () => {
  const stop = new AbortController();
  const answer = ask({ signal: stop.signal });
  await vi.advanceTimersByTimeAsync(second);
  stop.abort();
  await expect(answer).rejects.toMatchObject({ name: 'AbortError' });
});

it('takes an answer that may have no body and has an empty one, as browsers show it', async () => {
  const empty = new ReadableStream<Uint8Array>({ start: (controller) => controller.close() });
  const answer = Object.defineProperty(new Response(null, { status: 204 }), 'body', { value: empty });
  vi.stubGlobal('fetch', () => Promise.resolve(answer));
  expect((await ask({ method: 'DELETE' })).status).toBe(204);
});
