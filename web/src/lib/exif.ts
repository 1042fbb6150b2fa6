// What a camera noted in a picture: when, with what, how, and where.
import { jpegSegments } from './imageHead';

export interface Shot {
  camera: string | null;
  lens: string | null;
  /** As the camera's clock had it, without a zone: `2026-11-21T06:12:00`. */
  taken: string | null;
  /** In seconds. */
  exposure: number | null;
  aperture: number | null;
  iso: number | null;
  /** In millimetres. */
  focal: number | null;
  place: { latitude: number; longitude: number } | null;
}

type Value = string | number[];
/** Bytes that one value of each type takes. */
const widths = [0, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8];
/** A directory that claims more than this is broken. */
const mostEntries = 500;

/** The values of one directory by their numbers. */
function directory(view: DataView, at: number, little: boolean): Map<number, Value> {
  const values = new Map<number, Value>();
  if (at + 2 > view.byteLength) return values;
  const count = Math.min(view.getUint16(at, little), mostEntries);
  for (let index = 0; index < count; index += 1) {
    const entry = at + 2 + index * 12;
    if (entry + 12 > view.byteLength) break;
    const type = view.getUint16(entry + 2, little);
    const length = view.getUint32(entry + 4, little);
    const bytes = (widths[type] ?? 0) * length;
    const from = bytes > 4 ? view.getUint32(entry + 8, little) : entry + 8;
    if (bytes === 0 || bytes > 4096 || from + bytes > view.byteLength) continue;
    values.set(view.getUint16(entry, little), valueAt(view, from, type, length, little));
  }
  return values;
}

function valueAt(view: DataView, from: number, type: number, length: number, little: boolean): Value {
  if (type === 2) {
    const bytes = new Uint8Array(view.buffer, view.byteOffset + from, length);
    const end = bytes.indexOf(0);
    return new TextDecoder().decode(end < 0 ? bytes : bytes.subarray(0, end)).trim();
  }
  return Array.from({ length }, (_, at) => {
    const place = from + at * widths[type]!;
    switch (type) {
      case 3:
        return view.getUint16(place, little);
      case 4:
        return view.getUint32(place, little);
      case 5:
        return view.getUint32(place, little) / view.getUint32(place + 4, little);
      case 9:
        return view.getInt32(place, little);
      case 10:
        return view.getInt32(place, little) / view.getInt32(place + 4, little);
      default:
        return view.getUint8(place);
    }
  });
}

const text = (value: Value | undefined) => (typeof value === 'string' && value !== '' ? value : null);
const number = (value: Value | undefined) => {
  const first = Array.isArray(value) ? value[0] : undefined;
  return first !== undefined && Number.isFinite(first) ? first : null;
};

/** Degrees, minutes and seconds as one number; south and west are below zero. */
function degrees(value: Value | undefined, side: Value | undefined): number | null {
  if (!Array.isArray(value) || value.length < 3 || !value.every(Number.isFinite)) return null;
  const sum = value[0]! + value[1]! / 60 + value[2]! / 3600;
  return side === 'S' || side === 'W' ? -sum : sum;
}

/** Makers are often part of the model's name already. */
function nameOf(maker: string | null, model: string | null): string | null {
  if (!maker || !model) return model ?? maker;
  return model.toLowerCase().startsWith(maker.split(' ')[0]!.toLowerCase()) ? model : `${maker} ${model}`;
}

/** What the first bytes of a JPEG say; null where they say nothing. */
export function readShot(bytes: Uint8Array): Shot | null {
  for (const { marker, from, to } of jpegSegments(bytes)) {
    if (marker !== 0xe1 || String.fromCharCode(...bytes.subarray(from, from + 4)) !== 'Exif') continue;
    const view = new DataView(bytes.buffer, bytes.byteOffset + from + 6, Math.max(0, to - from - 6));
    if (view.byteLength < 8) return null;
    const little = view.getUint16(0) === 0x4949;
    const main = directory(view, view.getUint32(4, little), little);
    const at = (pointer: number) => {
      const place = number(main.get(pointer));
      return place === null ? new Map<number, Value>() : directory(view, place, little);
    };
    const shot = at(0x8769);
    const gps = at(0x8825);
    const latitude = degrees(gps.get(2), gps.get(1));
    const longitude = degrees(gps.get(4), gps.get(3));
    const taken = /^(\d{4}):(\d\d):(\d\d) (\d\d:\d\d:\d\d)/.exec(text(shot.get(0x9003)) ?? '');
    const found: Shot = {
      camera: nameOf(text(main.get(0x010f)), text(main.get(0x0110))),
      lens: text(shot.get(0xa434)),
      taken: taken ? `${taken[1]}-${taken[2]}-${taken[3]}T${taken[4]}` : null,
      exposure: number(shot.get(0x829a)),
      aperture: number(shot.get(0x829d)),
      iso: number(shot.get(0x8827)),
      focal: number(shot.get(0x920a)),
      place: latitude !== null && longitude !== null ? { latitude, longitude } : null,
    };
    return Object.values(found).some((value) => value !== null) ? found : null;
  }
  return null;
}
