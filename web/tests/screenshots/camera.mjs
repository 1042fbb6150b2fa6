// What a camera would have noted in a picture (Exif 2.3, in a TIFF of the low byte first), before the rest of a JPEG.
const ascii = (text) => ({ type: 2, count: text.length + 1, bytes: Buffer.from(`${text}\0`, 'latin1') });
const short = (value) => ({ type: 3, count: 1, bytes: Buffer.from(Uint16Array.of(value).buffer) });
const long = (value) => ({ type: 4, count: 1, bytes: Buffer.from(Uint32Array.of(value).buffer) });
const ratios = (...pairs) => ({
  type: 5,
  count: pairs.length,
  bytes: Buffer.from(Uint32Array.from(pairs.flat()).buffer),
});

/** A directory that begins at `start` of the TIFF: its entries, then the values that do not fit in them. */
function directory(start, entries) {
  const head = Buffer.alloc(2 + entries.length * 12 + 4);
  const tails = [];
  let next = start + head.length;
  head.writeUInt16LE(entries.length, 0);
  for (const [at, [tag, { type, count, bytes }]] of entries.entries()) {
    const place = 2 + at * 12;
    head.writeUInt16LE(tag, place);
    head.writeUInt16LE(type, place + 2);
    head.writeUInt32LE(count, place + 4);
    if (bytes.length <= 4) bytes.copy(head, place + 8);
    else {
      head.writeUInt32LE(next, place + 8);
      tails.push(bytes);
      next += bytes.length;
    }
  }
  return Buffer.concat([head, ...tails]);
}

/** `jpeg` with the note of a camera: `taken` is `2026:11:21 06:12:00`, `exposure` a pair, the place in whole degrees and minutes. */
export function noted(jpeg, { taken, exposure, aperture, iso, focal, north, west }) {
  const shot = [
    [0x829a, ratios(exposure)],
    [0x829d, ratios([aperture * 10, 10])],
    [0x8827, short(iso)],
    [0x9003, ascii(taken)],
    [0x920a, ratios([focal, 1])],
    [0xa434, ascii('XF 16-55mm F2.8')],
  ];
  const place = [
    [1, ascii('N')],
    [2, ratios(...north, [0, 1])],
    [3, ascii('W')],
    [4, ratios(...west, [0, 1])],
  ];
  const main = (shotAt, placeAt) =>
    directory(8, [
      [0x010f, ascii('FUJIFILM')],
      [0x0110, ascii('X-T5')],
      [0x8769, long(shotAt)],
      [0x8825, long(placeAt)],
    ]);
  const shotAt = 8 + main(0, 0).length;
  const shotBytes = directory(shotAt, shot);
  const placeAt = shotAt + shotBytes.length;
  const tiff = Buffer.concat([
    Buffer.from('II*\0\x08\0\0\0', 'latin1'),
    main(shotAt, placeAt),
    shotBytes,
    directory(placeAt, place),
  ]);
  const segment = Buffer.concat([Buffer.from('Exif\0\0', 'latin1'), tiff]);
  const marker = Buffer.from([0xff, 0xe1, (segment.length + 2) >> 8, (segment.length + 2) & 0xff]);
  return Buffer.concat([jpeg.subarray(0, 2), marker, segment, jpeg.subarray(2)]);
}
