// Sending one file into a drop box, with word of how far it is.
import { Problem } from '@/api/problem';
import { dropAddress } from './api';
import type { Drop } from './drops';

/** The browser cannot read what was dropped: a folder, or a file that was changed or moved meanwhile. */
export const unreadable = 'unreadable';

export async function sendDrop(
  token: string,
  drop: Drop,
  onProgress: (sent: number) => void,
  signal: AbortSignal,
): Promise<void> {
  // A failed request does not tell whether it was the file or the network; reading its first byte does.
  try {
    await drop.file.slice(0, 1).arrayBuffer();
  } catch {
    throw new Problem(422, unreadable, 'The file could not be read.');
  }
  return new Promise((resolve, reject) => {
    // fetch does not tell how far an upload is.
    const request = new XMLHttpRequest();
    request.open('POST', dropAddress(token, drop.name));
    request.setRequestHeader('content-type', drop.file.type || 'application/octet-stream');
    request.upload.onprogress = (event) => onProgress(event.loaded);
    request.onerror = () => reject(Problem.offline());
    request.onabort = () => reject(new DOMException('cancelled', 'AbortError'));
    request.onload = () => {
      if (request.status === 201) resolve();
      else reject(refusal(request));
    };
    signal.addEventListener('abort', () => request.abort(), { once: true });
    if (signal.aborted) request.onabort?.(new ProgressEvent('abort'));
    else request.send(drop.file);
  });
}

function refusal(request: XMLHttpRequest): Problem {
  let body: unknown = null;
  try {
    body = JSON.parse(request.responseText);
  } catch {
    // A proxy's page instead of ours: the status has to do.
  }
  const after = request.getResponseHeader('retry-after');
  const headers: HeadersInit = after ? { 'retry-after': after } : {};
  return Problem.fromParts(new Response(null, { status: Math.max(200, request.status), headers }), body);
}
