// What a visitor can ask of a link. The browser's cookies say what was unlocked and which downloads have begun.
import type { Schemas } from '@/api/client';
import { Problem } from '@/api/problem';

export type PublicLink = Schemas['PublicLink'];
export type LinkedEntry = Schemas['LinkedEntry'];

const addressOf = (token: string, rest = '') => `/api/v1/public/links/${encodeURIComponent(token)}${rest}`;

async function ask(path: string, init?: RequestInit): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(path, init);
  } catch (cause) {
    if (cause instanceof DOMException && cause.name === 'AbortError') throw cause;
    throw Problem.offline(cause);
  }
  if (!response.ok) throw await Problem.fromResponse(response);
  return response;
}
const json = async <T>(path: string, init?: RequestInit) => (await (await ask(path, init)).json()) as T;

export const openLink = (token: string, signal?: AbortSignal) => json<PublicLink>(addressOf(token), { signal });

/** Gives the password, or one's name, or both. */
export async function unlock(token: string, body: { password?: string; visitor_name?: string }): Promise<void> {
  await ask(addressOf(token, '/unlock'), {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
}

export const getEntry = (token: string, entry: string, signal?: AbortSignal) =>
  json<LinkedEntry>(addressOf(token, `/entries/${encodeURIComponent(entry)}`), { signal });

export function listChildren(
  token: string,
  folder: string,
  cursor: string | null,
  limit: number,
): Promise<Schemas['Page_LinkedEntry']> {
  const query = new URLSearchParams({ limit: `${limit}`, ...(cursor ? { cursor } : {}) });
  return json(addressOf(token, `/entries/${encodeURIComponent(folder)}/children?${query}`));
}

export const fileAddress = (token: string, file: string) => addressOf(token, `/files/${encodeURIComponent(file)}`);
export const archiveAddress = (token: string, folder: string | null) =>
  addressOf(token, `/archive${folder ? `?entries=${encodeURIComponent(folder)}` : ''}`);
export const dropAddress = (token: string, name: string) => addressOf(token, `/files?${new URLSearchParams({ name })}`);

/** Asks for one byte, to learn whether there would be more. */
export async function probe(address: string): Promise<void> {
  await (await ask(address, { headers: { range: 'bytes=0-0' } })).arrayBuffer();
}

export async function readBytes(
  token: string,
  file: string,
  range: string | null,
  signal?: AbortSignal,
): Promise<Response> {
  return ask(fileAddress(token, file), { signal, headers: range ? { range } : {} });
}
