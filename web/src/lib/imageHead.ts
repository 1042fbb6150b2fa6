// What the first bytes of a picture say of it, without unpacking it.

export interface Size {
  width: number;
  height: number;
}

const text = (bytes: Uint8Array, at: number, length: number) => String.fromCharCode(...bytes.subarray(at, at + length));

/** The segments of a JPEG up to the picture itself: the marker of each, and where its content is. */
export function* jpegSegments(bytes: Uint8Array): Generator<{ marker: number; from: number; to: number }> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < 4 || view.getUint16(0) !== 0xffd8) return;
  let at = 2;
  while (at + 4 <= bytes.length) {
    if (bytes[at] !== 0xff) return;
    const marker = bytes[at + 1]!;
    // Bytes between segments that only fill.
    if (marker === 0xff) {
      at += 1;
      continue;
    }
    if (marker === 0xda || marker === 0xd9) return;
    const length = view.getUint16(at + 2);
    if (length < 2) return;
    yield { marker, from: at + 4, to: Math.min(bytes.length, at + 2 + length) };
    at += 2 + length;
  }
}

const isFrame = (marker: number) => marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker);

/** Width and height as they are stored, or null where these bytes do not say. */
export function imageSize(bytes: Uint8Array): Size | null {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length >= 24 && text(bytes, 1, 3) === 'PNG')
    return { width: view.getUint32(16), height: view.getUint32(20) };
  if (bytes.length >= 10 && text(bytes, 0, 3) === 'GIF')
    return { width: view.getUint16(6, true), height: view.getUint16(8, true) };
  if (bytes.length >= 26 && text(bytes, 0, 2) === 'BM')
    return { width: Math.abs(view.getInt32(18, true)), height: Math.abs(view.getInt32(22, true)) };
  if (bytes.length >= 30 && text(bytes, 0, 4) === 'RIFF' && text(bytes, 8, 4) === 'WEBP') return webpSize(bytes, view);
  for (const { marker, from, to } of jpegSegments(bytes))
    if (isFrame(marker) && to - from >= 5) return { width: view.getUint16(from + 3), height: view.getUint16(from + 1) };
  return null;
}

function webpSize(bytes: Uint8Array, view: DataView): Size | null {
  const three = (at: number) => view.getUint16(at, true) | (bytes[at + 2]! << 16);
  switch (text(bytes, 12, 4)) {
    case 'VP8X':
      return { width: three(24) + 1, height: three(27) + 1 };
    case 'VP8 ':
      return { width: view.getUint16(26, true) & 0x3fff, height: view.getUint16(28, true) & 0x3fff };
    case 'VP8L': {
      const bits = view.getUint32(21, true);
      return { width: (bits & 0x3fff) + 1, height: ((bits >>> 14) & 0x3fff) + 1 };
    }
    default:
      return null;
  }
}
