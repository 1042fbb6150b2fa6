// Archives, tables and pictures, read from their bytes.
import { expect, it } from 'vitest';
import { asTree, listTar, listZip } from '@/lib/archive';
import { isNumeric, parseCsv, separatorOf } from '@/lib/csv';
import { readShot } from '@/lib/exif';

const encode = (text: string) => new TextEncoder().encode(text);
function join(...parts: Uint8Array[]): Uint8Array {
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/** A zip as far as its directory goes: nothing of what is packed is there. */
function zip(entries: { name: Uint8Array; size: number; utf8?: boolean }[], note = '') {
  const parts: Uint8Array[] = [new Uint8Array(100)];
  for (const { name, size, utf8 = true } of entries) {
    const head = new Uint8Array(46);
    const view = new DataView(head.buffer);
    view.setUint32(0, 0x02014b50, true);
    view.setUint16(8, utf8 ? 0x800 : 0, true);
    view.setUint32(24, size, true);
    view.setUint16(28, name.length, true);
    parts.push(head, name);
  }
  const end = new Uint8Array(22);
  const view = new DataView(end.buffer);
  const length = parts.slice(1).reduce((sum, part) => sum + part.length, 0);
  view.setUint32(0, 0x06054b50, true);
  view.setUint32(12, length, true);
  view.setUint32(16, 100, true);
  view.setUint16(20, note.length, true);
  return join(...parts, end, encode(note));
}
const readerOf = (bytes: Uint8Array) => (from: number, to: number) =>
  Promise.resolve(bytes.slice(from, to).buffer as ArrayBuffer);

it('lists a zip from the directory at its end', async () => {
  const bytes = zip(
    [
      { name: encode('photos/'), size: 0 },
      { name: encode('photos/Утро.jpg'), size: 1_200 },
      { name: Uint8Array.of(0x84, 0xae, 0xac), size: 7, utf8: false },
      { name: encode('../../etc/passwd'), size: 1 },
    ],
    'a comment',
  );
  const reads: number[] = [];
  const listing = await listZip((from, to) => {
    reads.push(to - from);
    return readerOf(bytes)(from, to);
  }, bytes.length);
  expect(listing?.items).toEqual([
    { path: 'photos', folder: true, size: 0 },
    { path: 'photos/Утро.jpg', folder: false, size: 1_200 },
    { path: 'Дом', folder: false, size: 7 },
    { path: '../../etc/passwd', folder: false, size: 1 },
  ]);
  expect(listing?.cut).toBe(false);
  expect(reads).toHaveLength(2);
});
it('says of what is no archive that it is none, however it is broken', async () => {
  const noise = Uint8Array.from({ length: 700 }, (_, at) => ((at + 1) * 37) % 251);
  expect(await listZip(readerOf(noise), noise.length)).toBeNull();
  expect(listTar(noise, true)).toBeNull();
  const bytes = zip([{ name: encode('a'), size: 1 }]);
  // A directory beyond the end of the file.
  new DataView(bytes.buffer).setUint32(bytes.length - 10, 4_000_000, true);
  expect(await listZip(readerOf(bytes), bytes.length)).toBeNull();
});

function tarEntry(name: string, body: string, type = '0') {
  const head = new Uint8Array(512);
  const bytes = encode(body);
  head.set(encode(name), 0);
  head.set(encode(bytes.length.toString(8).padStart(11, '0')), 124);
  head.set(encode(type), 156);
  head.set(encode('ustar'), 257);
  const data = new Uint8Array(Math.ceil(bytes.length / 512) * 512);
  data.set(bytes);
  return join(head, data);
}
it('lists a tar by its heads, with long names, and says where it was cut', () => {
  const long = `${'deep/'.repeat(40)}end.txt`;
  const whole = join(
    tarEntry('src', '', '5'),
    tarEntry('src/main.rs', 'fn main() {}'),
    tarEntry('././@LongLink', `${long}\0`, 'L'),
    tarEntry(long.slice(0, 99), 'x'),
    tarEntry('pax', '21 path=за границей.md\n', 'x'),
    tarEntry('short', 'y'),
    new Uint8Array(1024),
  );
  const listing = listTar(whole, true);
  expect(listing?.items.map((item) => item.path)).toEqual(['src', 'src/main.rs', long, 'за границей.md']);
  expect(listing?.items[0]?.folder).toBe(true);
  expect(listing?.cut).toBe(false);
  expect(listTar(whole.subarray(0, 1_600), false)).toMatchObject({ cut: true });
});
it('shows folders with all that is in them, also those that are not named', () => {
  const lines = asTree(
    [
      { path: 'b.txt', folder: false, size: 1 },
      { path: 'a/z/deep.txt', folder: false, size: 10 },
      { path: 'a/y.txt', folder: false, size: 5 },
    ],
    (a, b) => a.localeCompare(b),
  );
  expect(lines.map((line) => [line.depth, line.name, line.folder, line.size])).toEqual([
    [0, 'a', true, 15],
    [1, 'z', true, 10],
    [2, 'deep.txt', false, 10],
    [1, 'y.txt', false, 5],
    [0, 'b.txt', false, 1],
  ]);
});

it('reads tables with quotes, empty fields and any of three separators', () => {
  expect(parseCsv('\ufeffa,b\r\n"1, 2","say ""yes"""\n\n,\nlast,"two\nlines"')).toEqual([
    ['a', 'b'],
    ['1, 2', 'say "yes"'],
    ['', ''],
    ['last', 'two\nlines'],
  ]);
  expect(separatorOf('"a;b;c",d\n1;2;3;4')).toBe(',');
  expect(separatorOf('Пост;Высота\n1,5;2')).toBe(';');
  expect(separatorOf('a\tb')).toBe('\t');
  expect(parseCsv('a,b\n1,2\n3,4', ',', 2)).toHaveLength(2);
  expect(parseCsv('')).toEqual([]);
  expect(['12', '-3.5', '+0,2', '1 200', '7 %', '12a', '', '2026-11-21'].map(isNumeric)).toEqual([
    true,
    true,
    true,
    true,
    true,
    false,
    false,
    false,
  ]);
});

/** An Exif segment in little-endian with the given directories; the pointers are made here. */
function jpeg(main: [number, number, Uint8Array][], shot: [number, number, Uint8Array][]) {
  const data: Uint8Array[] = [];
  const widths: Record<number, number> = { 2: 1, 3: 2, 4: 4, 5: 8 };
  const size = (entries: number) => 2 + entries * 12 + 4;
  const mainAt = 8;
  const shotAt = mainAt + size(main.length + 1);
  let dataAt = shotAt + size(shot.length);
  const write = (entries: [number, number, Uint8Array][]) => {
    const bytes = new Uint8Array(size(entries.length));
    const view = new DataView(bytes.buffer);
    view.setUint16(0, entries.length, true);
    for (const [at, [tag, type, value]] of entries.entries()) {
      view.setUint16(2 + at * 12, tag, true);
      view.setUint16(4 + at * 12, type, true);
      view.setUint32(6 + at * 12, value.length / widths[type]!, true);
      if (value.length <= 4) bytes.set(value, 10 + at * 12);
      else {
        view.setUint32(10 + at * 12, dataAt, true);
        data.push(value);
        dataAt += value.length;
      }
    }
    return bytes;
  };
  const pointer = new Uint8Array(4);
  new DataView(pointer.buffer).setUint32(0, shotAt, true);
  const first = write([...main, [0x8769, 4, pointer]]);
  const second = write(shot);
  const body = join(encode('Exif\0\0'), Uint8Array.of(0x49, 0x49, 42, 0, 8, 0, 0, 0), first, second, ...data);
  const length = body.length + 2;
  return join(Uint8Array.of(0xff, 0xd8, 0xff, 0xe1, length >> 8, length & 0xff), body);
}
const ascii = (text: string) => encode(`${text}\0`);
const ratio = (above: number, below: number) => {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setUint32(0, above, true);
  new DataView(bytes.buffer).setUint32(4, below, true);
  return bytes;
};
it('reads what a camera noted, and nothing from what is broken', () => {
  const bytes = jpeg(
    [
      [0x010f, 2, ascii('NIKON CORPORATION')],
      [0x0110, 2, ascii('NIKON Z 6')],
    ],
    [
      [0x829a, 5, ratio(1, 250)],
      [0x829d, 5, ratio(56, 10)],
      [0x8827, 3, Uint8Array.of(0x90, 1)],
      [0x9003, 2, ascii('2026:11:21 06:12:00')],
    ],
  );
  expect(readShot(bytes)).toEqual({
    camera: 'NIKON Z 6',
    lens: null,
    taken: '2026-11-21T06:12:00',
    exposure: 0.004,
    aperture: 5.6,
    iso: 400,
    focal: null,
    place: null,
  });
  for (let end = 0; end < bytes.length; end += 7) expect(() => readShot(bytes.subarray(0, end))).not.toThrow();
  expect(readShot(Uint8Array.of(0xff, 0xd8, 0xff, 0xd9))).toBeNull();
});
