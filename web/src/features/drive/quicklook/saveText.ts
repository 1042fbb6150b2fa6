// The text of a file as it is edited: from its bytes and back, and to the server as a new version.
import { api, asOne, take } from '@/api/client';
import { isProblem, Problem } from '@/api/problem';
import { authorizedFetch } from '@/api/session';
import { filePath } from '@/api/files';
import type { Entry } from '@/data/db';
import type { Item } from '@/data/project';

/** Longer texts are for a program of their own. */
export const maxEditBytes = 512 * 1024;

export interface Draft {
  text: string;
  /** Whether its lines end as on Windows: a text field knows only one end, so it is put back. */
  crlf: boolean;
}

/** Null where the bytes are no UTF-8: what cannot be read whole must not be written back. */
export function toDraft(bytes: ArrayBuffer): Draft | null {
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    return { text: text.replaceAll('\r\n', '\n'), crlf: text.includes('\r\n') };
  } catch {
    return null;
  }
}
/** The text as it is kept, with its own ends of lines. */
export const toWords = ({ text, crlf }: Draft): string => (crlf ? text.replaceAll('\n', '\r\n') : text);
export const toBytes = (draft: Draft): Blob => new Blob([toWords(draft)]);

async function send(
  method: 'PUT' | 'POST',
  path: string,
  headers: Record<string, string>,
  body: Blob,
  id?: string,
): Promise<Entry> {
  return asOne(async (operation) => {
    const response = await authorizedFetch(new Request(path, { method, headers: { ...headers, ...operation }, body }));
    if (!response.ok) throw await Problem.fromResponse(response);
    return (await response.json()) as Entry;
  }, id);
}

/**
 * A new version on top of the one that was opened; null when there is another one by now. `id` names the operation, so that
 * it can be sent once more later without meeting itself.
 */
export async function saveOver(item: Item, etag: string, draft: Draft, id?: string): Promise<Entry | null> {
  const headers = { 'if-match': etag, 'content-type': item.content_type ?? 'text/plain' };
  try {
    return await send('PUT', filePath(item.id), headers, toBytes(draft), id);
  } catch (error) {
    if (isProblem(error, 'precondition-failed')) return null;
    throw error;
  }
}

/** On top of whatever is there now, which stays as an earlier version. */
export async function saveLast(item: Item, draft: Draft): Promise<Entry> {
  const now = (await take(api.GET('/api/v1/entries/{id}', { params: { path: { id: item.id } } }))) as Entry;
  const saved = await saveOver(item, now.etag ?? '', draft);
  if (!saved) throw new Problem(409, 'precondition-failed', 'It was changed once more just now.');
  return saved;
}

/** As a file beside it, under a name that is free. */
export function saveBeside(item: Item, draft: Draft): Promise<Entry> {
  const query = new URLSearchParams({ name: item.name, on_conflict: 'rename' });
  if (item.parent_id) query.set('parent', item.parent_id);
  return send('POST', `/api/v1/files?${query}`, { 'content-type': item.content_type ?? 'text/plain' }, toBytes(draft));
}
