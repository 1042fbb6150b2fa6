// One request with a body, with word of how far it is: fetch does not tell that.
import { Problem } from '@/api/problem';
import { accessToken } from '@/api/session';

export interface Posted {
  status: number;
  text: string;
  retryAfter: string | null;
}

export async function post(
  address: string,
  headers: Record<string, string>,
  body: Blob,
  onProgress: (sent: number) => void,
  signal: AbortSignal,
): Promise<Posted> {
  const token = await accessToken();
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open('POST', address);
    if (token) request.setRequestHeader('authorization', `Bearer ${token}`);
    for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value);
    request.upload.onprogress = (event) => onProgress(event.loaded);
    request.onerror = () => reject(Problem.offline());
    request.onabort = () => reject(new DOMException('cancelled', 'AbortError'));
    request.onload = () =>
      resolve({
        status: request.status,
        text: request.responseText,
        retryAfter: request.getResponseHeader('retry-after'),
      });
    if (signal.aborted) {
      reject(new DOMException('cancelled', 'AbortError'));
      return;
    }
    signal.addEventListener('abort', () => request.abort(), { once: true });
    request.send(body);
  });
}

/** What the server's answer says is wrong. */
export function problemOf(status: number, text: string, retryAfter: string | null): Problem {
  let body: unknown = null;
  try {
    body = JSON.parse(text);
  } catch {
    // A proxy's page instead of ours: the status has to do.
  }
  return problemFrom(status, body, retryAfter);
}

export function problemFrom(status: number, body: unknown, retryAfter: string | null = null): Problem {
  return Problem.fromParts(
    new Response(null, { status: Math.max(200, status), headers: retryAfter ? { 'retry-after': retryAfter } : {} }),
    body,
  );
}
