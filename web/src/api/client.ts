// The typed client: every call of the API description, as the signed-in account, failing with a `Problem`.
import createClient from 'openapi-fetch';
import type { components, paths } from '#openapi';
import { Problem } from './problem';
import { authorizedFetch } from './session';
import { fetchWhole } from './whole';

export type Schemas = components['schemas'];

export const api = createClient<paths>({ baseUrl: '/', fetch: (request) => authorizedFetch(request, fetchWhole) });

/** How often a change is sent whose answer was lost, and the pause before the first of these tries. */
const mostTries = 3;
const againMs = 400;

/**
 * One change under one id: sent again where its answer was lost, and done once all the same, since the server knows the id
 * again. For what a person waits for; what may wait goes through the outbox.
 */
export async function asOne<T>(
  send: (header: { 'Operation-Id': string }) => Promise<T>,
  id: string = crypto.randomUUID(),
): Promise<T> {
  const header = { 'Operation-Id': id };
  for (let tries = 1; ; tries += 1) {
    try {
      return await send(header);
    } catch (error) {
      const lost = !(error instanceof Problem) || error.status === 0;
      if (!lost || tries >= mostTries || !navigator.onLine) throw error;
      await new Promise((resolve) => setTimeout(resolve, againMs * tries));
    }
  }
}

/** The data of an answer; throws the problem of a refusal. */
export async function take<T>(call: Promise<{ data?: T; error?: unknown; response: Response }>): Promise<T> {
  const { data, error, response } = await call;
  if (!response.ok) throw Problem.fromParts(response, error);
  return data as T;
}
