// Makes small pictures away from the page's own thread: from the bytes of a picture, or from a frame that the page has taken.
import { imageSize } from '@/lib/imageHead';

declare const self: DedicatedWorkerGlobalScope;

export interface Wish {
  id: number;
  from: Blob | ImageBitmap;
  /** The longer side of what is made. */
  side: number;
}
export interface Made {
  id: number;
  /** Null where it cannot be made from these bytes. */
  picture: Blob | null;
  /** Of the original, as it is to be seen. */
  width: number;
  height: number;
}

/** More than this is not unpacked: it would take some hundred megabytes of memory for a picture the size of a stamp. */
const mostPixels = 120_000_000;
const headBytes = 256 * 1024;
const quality = 0.8;

/** Not every browser writes WebP: what cannot be seen through is a JPEG there. */
async function pack(canvas: OffscreenCanvas, opaque: boolean): Promise<Blob> {
  const first = await canvas.convertToBlob({ type: 'image/webp', quality });
  return first.type === 'image/webp' || !opaque ? first : canvas.convertToBlob({ type: 'image/jpeg', quality });
}

async function shrink({ from, side }: Wish): Promise<Omit<Made, 'id'>> {
  if (from instanceof Blob) {
    const size = imageSize(new Uint8Array(await from.slice(0, headBytes).arrayBuffer()));
    if (size && size.width * size.height > mostPixels) throw new Error('too many pixels');
  }
  // Cameras turn pictures by a note in them, which is honoured here.
  const whole = from instanceof Blob ? await createImageBitmap(from, { imageOrientation: 'from-image' }) : from;
  const { width, height } = whole;
  const scale = Math.min(1, side / Math.max(width, height));
  const canvas = new OffscreenCanvas(Math.max(1, Math.round(width * scale)), Math.max(1, Math.round(height * scale)));
  const pen = canvas.getContext('2d');
  if (!pen) throw new Error('no canvas');
  pen.imageSmoothingQuality = 'high';
  pen.drawImage(whole, 0, 0, canvas.width, canvas.height);
  whole.close();
  const opaque = !(from instanceof Blob) || from.type === 'image/jpeg';
  return { picture: await pack(canvas, opaque), width, height };
}

self.onmessage = async ({ data }: MessageEvent<Wish>) => {
  const made = await shrink(data).catch(() => ({ picture: null, width: 0, height: 0 }));
  self.postMessage({ id: data.id, ...made } satisfies Made);
};
