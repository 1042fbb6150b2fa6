// The typed client: every call of the API description, as the signed-in account, failing with a `Problem`.
import createClient from 'openapi-fetch';
import type { components, paths } from '#openapi';
import { Problem } from './problem';
import { authorizedFetch } from './session';

export type Schemas = components['schemas'];

export const api = createClient<paths>({ baseUrl: '/', fetch: authorizedFetch });

/** The data of an answer; throws the problem of a refusal. */
export async function take<T>(call: Promise<{ data?: T; error?: unknown; response: Response }>): Promise<T> {
  const { data, error, response } = await call;
  if (!response.ok) throw Problem.fromParts(response, error);
  return data as T;
}
