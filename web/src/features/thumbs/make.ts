// Makes the small picture of a file: fetches it, takes a frame of a film, and has the worker shrink it.
import { Problem } from '@/api/problem';
import type { ByteSource, Viewed } from '@/features/look';
import { extension } from '@/lib/names';
import { kindOf } from '@/lib/kinds';
import type { Made, Wish } from '@/workers/thumbnail';

/** The longer side: enough for the largest tile on a dense screen. */
export const side = 512;
/** How long a film may take to show its first frames. */
const filmMs = 10_000;
/** The very first frame is often black. */
const filmAtSeconds = 1;

export interface Drawn extends Omit<Made, 'id'> {
  seconds: number | null;
}
const none: Drawn = { picture: null, width: 0, height: 0, seconds: null };

let worker: Worker | null = null;
let lastId = 0;
const asked = new Map<number, { answer: (made: Made) => void; fail: (error: Error) => void }>();

function shrink(from: Blob | ImageBitmap): Promise<Made> {
  if (!worker) {
    worker = new Worker(new URL('../../workers/thumbnail.ts', import.meta.url), { type: 'module', name: 'thumbnail' });
    worker.onmessage = ({ data }: MessageEvent<Made>) => {
      asked.get(data.id)?.answer(data);
      asked.delete(data.id);
    };
    // A worker that cannot be started or fell over says nothing of the picture; the next wish gets a new one.
    worker.onerror = () => {
      worker?.terminate();
      worker = null;
      for (const { fail } of asked.values()) fail(new Error('the worker for small pictures fell over'));
      asked.clear();
    };
  }
  lastId += 1;
  const wish: Wish = { id: lastId, from, side };
  const answer = new Promise<Made>((resolve, reject) => asked.set(wish.id, { answer: resolve, fail: reject }));
  worker.postMessage(wish, from instanceof Blob ? [] : [from]);
  return answer;
}

/** Something that loads, as a promise that also ends with the signal. */
function loaded(element: HTMLElement, event: string, signal: AbortSignal): Promise<boolean> {
  return new Promise((resolve) => {
    element.addEventListener(event, () => resolve(true), { once: true });
    element.addEventListener('error', () => resolve(false), { once: true });
    signal.addEventListener('abort', () => resolve(false), { once: true });
  });
}

/** A drawing has no pixels of its own: the page draws it once, large enough. */
async function drawing(bytes: Blob, signal: AbortSignal): Promise<ImageBitmap | null> {
  const url = URL.createObjectURL(new Blob([bytes], { type: 'image/svg+xml' }));
  try {
    const image = new Image();
    const done = loaded(image, 'load', signal);
    image.src = url;
    if (!(await done)) return null;
    const scale = side / Math.max(image.naturalWidth, image.naturalHeight, 1);
    return await createImageBitmap(image, {
      resizeWidth: Math.max(1, Math.round((image.naturalWidth || 1) * scale)),
      resizeHeight: Math.max(1, Math.round((image.naturalHeight || 1) * scale)),
    });
  } finally {
    URL.revokeObjectURL(url);
  }
}

/** That it took too long says nothing of the film. */
function late(): never {
  throw new Error('the film did not show itself in time');
}

async function film(file: Viewed, source: ByteSource, signal: AbortSignal): Promise<Drawn> {
  const { url, release } = await source.open(file, signal);
  const video = document.createElement('video');
  const ends = AbortSignal.any([signal, AbortSignal.timeout(filmMs)]);
  try {
    video.muted = true;
    video.playsInline = true;
    video.preload = 'metadata';
    const known = loaded(video, 'loadedmetadata', ends);
    video.src = url;
    if (!(await known) || video.videoWidth === 0) return ends.aborted ? late() : none;
    const seconds = Number.isFinite(video.duration) ? video.duration : null;
    const there = loaded(video, 'seeked', ends);
    video.currentTime = Math.min(filmAtSeconds, (seconds ?? 0) / 2);
    if (!(await there)) return ends.aborted ? late() : none;
    const made = await shrink(await createImageBitmap(video));
    return { ...made, seconds };
  } finally {
    video.removeAttribute('src');
    video.load();
    release();
  }
}

/**
 * What is made of a file; without a picture where none can be. What says nothing of the file is thrown: a connection that
 * fails, a film that is slow to come, a worker that fell over twice.
 */
export async function draw(file: Viewed, source: ByteSource, signal: AbortSignal): Promise<Drawn> {
  if (kindOf(file) === 'video') {
    const drawn = await film(file, source, signal);
    // A film that did not come is told from one that cannot be shown only by whether there is a connection.
    if (!drawn.picture && source.offline()) throw Problem.offline();
    return drawn;
  }
  const bytes = await source.blob(file, signal);
  const isDrawing = extension(file.name) === 'svg' || file.content_type === 'image/svg+xml';
  const from = isDrawing ? await drawing(bytes, signal).catch(() => null) : bytes;
  if (!from) return none;
  // Of the pictures that a worker has when it falls over, one at most is to blame.
  const made = await shrink(from).catch((error: unknown) => {
    if (from instanceof Blob) return shrink(from);
    throw error;
  });
  return { ...made, seconds: null };
}
