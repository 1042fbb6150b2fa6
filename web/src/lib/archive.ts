// What is in an archive, without unpacking it: the directory at the end of a zip, the heads in a tar.

export interface Packed {
  /** With `/` between the names, and without one at the end. */
  path: string;
  folder: boolean;
  size: number;
}
export interface Listing {
  items: Packed[];
  /** Whether there is more than is listed. */
  cut: boolean;
}

type Read = (from: number, to: number) => Promise<ArrayBuffer>;

/** More are not listed: nobody looks through them, and an archive may claim any number. */
export const mostItems = 20_000;
/** The comment at the end of a zip may be this long, and the record before it has 22 bytes. */
const tailBytes = 65_535 + 22;
const directoryBytes = 8_000_000;
const endMark = 0x06054b50;
const end64Mark = 0x06064b50;
const locatorMark = 0x07064b50;
const entryMark = 0x02014b50;

const utf8 = new TextDecoder();
/** Old zips have names in the code page of the DOS of their maker; this one covers most. */
const old = new TextDecoder('ibm866');

function packed(path: string, size: number): Packed | null {
  const folder = path.endsWith('/');
  const clean = path
    .replaceAll('\\', '/')
    .split('/')
    .filter((name) => name !== '' && name !== '.')
    .join('/');
  return clean === '' ? null : { path: clean, folder, size: folder ? 0 : size };
}

/** Where the directory of a zip is; null where this is no zip. */
async function zipDirectory(read: Read, size: number): Promise<{ from: number; length: number } | null> {
  const start = Math.max(0, size - tailBytes - 20);
  const view = new DataView(await read(start, size));
  for (let at = view.byteLength - 22; at >= 0; at -= 1) {
    if (view.getUint32(at, true) !== endMark) continue;
    const from = view.getUint32(at + 16, true);
    const length = view.getUint32(at + 12, true);
    if (from !== 0xffffffff && length !== 0xffffffff) return { from, length };
    if (at < 20 || view.getUint32(at - 20, true) !== locatorMark) return null;
    const place = Number(view.getBigUint64(at - 12, true));
    const large = new DataView(await read(place, place + 56));
    if (large.byteLength < 56 || large.getUint32(0, true) !== end64Mark) return null;
    return { from: Number(large.getBigUint64(48, true)), length: Number(large.getBigUint64(40, true)) };
  }
  return null;
}

/** The size in the field that large files have beside their entry. */
function largeSize(view: DataView, from: number, to: number): number | null {
  for (let at = from; at + 4 <= to; at += 4 + view.getUint16(at + 2, true))
    if (view.getUint16(at, true) === 1 && at + 12 <= to) return Number(view.getBigUint64(at + 4, true));
  return null;
}

export async function listZip(read: Read, size: number): Promise<Listing | null> {
  const place = await zipDirectory(read, size);
  if (!place || place.from + place.length > size) return null;
  const bytes = new Uint8Array(await read(place.from, place.from + Math.min(place.length, directoryBytes)));
  const view = new DataView(bytes.buffer);
  const items: Packed[] = [];
  let at = 0;
  while (at + 46 <= bytes.length && view.getUint32(at, true) === entryMark && items.length < mostItems) {
    const [nameLength, extraLength, noteLength] = [28, 30, 32].map((field) => view.getUint16(at + field, true));
    const nameEnd = at + 46 + nameLength!;
    const extraEnd = nameEnd + extraLength!;
    if (extraEnd > bytes.length) break;
    const isUtf8 = (view.getUint16(at + 8, true) & 0x800) !== 0;
    const name = bytes.subarray(at + 46, nameEnd);
    const short = view.getUint32(at + 24, true);
    const full = short === 0xffffffff ? (largeSize(view, nameEnd, extraEnd) ?? short) : short;
    const item = packed((isUtf8 ? utf8 : old).decode(name), full);
    if (item) items.push(item);
    at = extraEnd + noteLength!;
  }
  return { items, cut: at < place.length };
}

const block = 512;
const textOf = (bytes: Uint8Array) => {
  const end = bytes.indexOf(0);
  return utf8.decode(end < 0 ? bytes : bytes.subarray(0, end));
};
/** Octal digits, or for large files a number in base 256. */
function tarNumber(bytes: Uint8Array): number {
  if (bytes[0]! & 0x80) return bytes.subarray(1).reduce((sum, byte) => sum * 256 + byte, 0);
  return parseInt(textOf(bytes).trim(), 8) || 0;
}
/** The value of a field in the extra head that newer tars put before an entry. */
function paxValue(bytes: Uint8Array, key: string): string | null {
  const found = new RegExp(`\\d+ ${key}=([^\\n]*)\\n`).exec(utf8.decode(bytes));
  return found?.[1] ?? null;
}

/** `bytes` may be only the start of it; `null` where this is no tar. */
export function listTar(bytes: Uint8Array, whole: boolean): Listing | null {
  const items: Packed[] = [];
  let longName: string | null = null;
  let at = 0;
  while (at + block <= bytes.length && items.length < mostItems) {
    const head = bytes.subarray(at, at + block);
    if (head[0] === 0) return { items, cut: false };
    if (textOf(head.subarray(257, 262)) !== 'ustar') return items.length > 0 ? { items, cut: true } : null;
    const size = tarNumber(head.subarray(124, 136));
    const type = String.fromCharCode(head[156]!);
    const body = bytes.subarray(at + block, at + block + size);
    if (type === 'L') longName = textOf(body);
    else if (type === 'x') longName = paxValue(body, 'path') ?? longName;
    else if (type !== 'g') {
      const prefix = textOf(head.subarray(345, 500));
      const name = longName ?? (prefix ? `${prefix}/` : '') + textOf(head.subarray(0, 100));
      const item = packed(type === '5' && !name.endsWith('/') ? `${name}/` : name, size);
      if (item) items.push(item);
      longName = null;
    }
    at += block + Math.ceil(size / block) * block;
  }
  return { items, cut: !whole || at < bytes.length };
}

export interface Line extends Packed {
  name: string;
  depth: number;
}
/** As it is shown: folders with what is in them below, also those that the archive does not name itself. */
export function asTree(items: readonly Packed[], compare: (a: string, b: string) => number): Line[] {
  interface Node {
    item: Packed;
    name: string;
    below: Map<string, Node>;
  }
  const top = new Map<string, Node>();
  for (const item of items) {
    let level = top;
    const names = item.path.split('/');
    for (const [at, name] of names.entries()) {
      const last = at === names.length - 1;
      let node = level.get(name);
      if (!node) {
        const path = names.slice(0, at + 1).join('/');
        node = { item: { path, folder: true, size: 0 }, name, below: new Map() };
        level.set(name, node);
      }
      if (last) node.item = item.folder || node.below.size === 0 ? item : node.item;
      level = node.below;
    }
  }
  const lines: Line[] = [];
  const walk = (level: Map<string, Node>, depth: number): number => {
    let sum = 0;
    const sorted = [...level.values()].sort(
      (a, b) => Number(b.item.folder) - Number(a.item.folder) || compare(a.name, b.name),
    );
    for (const node of sorted) {
      const line: Line = { ...node.item, name: node.name, depth };
      lines.push(line);
      if (node.item.folder) line.size = walk(node.below, depth + 1);
      sum += line.size;
    }
    return sum;
  };
  walk(top, 0);
  return lines;
}
