// An answer that is heard to its end, or given up. A connection can die without a word, as where a computer slept or a router
// forgot it, and a browser waits for what never comes for as long as the system lets it: a quarter of an hour, in which
// nothing else would be sent or asked for.

/** How long an answer may be silent, before its first byte and between any two. A change may keep the server busy for a while. */
const readSilenceMs = 30_000;
const changeSilenceMs = 120_000;

/** `fetch` for answers that are small. Fails like one without a connection where nothing comes any more. */
export async function fetchWhole(
  request: Request,
  silenceMs = request.method === 'GET' ? readSilenceMs : changeSilenceMs,
): Promise<Response> {
  const stop = new AbortController();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const listen = () => {
    clearTimeout(timer);
    timer = setTimeout(() => stop.abort(new TypeError('The answer stopped coming.')), silenceMs);
  };
  try {
    listen();
    const response = await fetch(request, { signal: AbortSignal.any([request.signal, stop.signal]) });
    if (!response.body) return response;
    const parts: Uint8Array<ArrayBuffer>[] = [];
    const reader = response.body.getReader();
    for (;;) {
      listen();
      const { done, value } = await reader.read();
      // What says that there is nothing, as 204 does, may not be given a body, be it an empty one.
      if (done) return new Response(parts.length > 0 ? new Blob(parts) : null, response);
      parts.push(value);
    }
  } finally {
    clearTimeout(timer);
  }
}
