// What of the pictures is kept in the repository, and how: see `run.mjs`.
import { mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';

/** The pictures that are kept at full size besides the sheets. The README shows three of them. */
const chosen = [
  'list-light-en-1440',
  'gallery-dark-ru-1440',
  'admin-health-light-en-1440',
  'grid-light-en-1440',
  'columns-picture-light-en-1440',
  'quick-look-picture-dark-ru-1440',
  'list-dark-ru-1440',
  'review-light-en-1440',
  'share-people-light-en-1440',
  'uploads-light-en-1440',
  'public-pictures-light-en-1440',
  'list-light-ru-390',
];

/** The forms of each page on its sheet, half as large as on a screen: a row for each look, as wide as people have it. */
const gap = 12;
const columns = { 1440: [720, 450], 1024: [512, 384], 390: [195, 422] };
const looks = ['light-en', 'light-ru', 'dark-en', 'dark-ru'];
const rowHeight = 450;
const sheet = {
  size: [
    Object.values(columns).reduce((sum, [width]) => sum + width + gap, gap),
    gap + looks.length * (rowHeight + gap),
  ],
  quality: 0.8,
};
const forms = looks.flatMap((look, row) => {
  let x = gap;
  return Object.entries(columns).map(([width, size]) => {
    const form = { form: `${look}-${width}`, place: [x, gap + row * (rowHeight + gap), ...size] };
    x += size[0] + gap;
    return form;
  });
});

/** Runs inside a page: draws pictures at their places, and makes WebP of it, for which no tool but the browser is needed. */
async function draw({ size, pictures, quality }) {
  const canvas = new OffscreenCanvas(...size);
  const pen = canvas.getContext('2d');
  pen.imageSmoothingQuality = 'high';
  pen.fillStyle = '#8a8f98';
  if (pictures.length > 1) pen.fillRect(0, 0, ...size);
  for (const { base64, place } of pictures) {
    const [width, height] = place.slice(2);
    const bitmap = await createImageBitmap(await (await fetch(`data:image/png;base64,${base64}`)).blob(), {
      resizeWidth: width,
      resizeHeight: height,
      resizeQuality: 'high',
    });
    pen.drawImage(bitmap, place[0], place[1]);
  }
  const bytes = new Uint8Array(await (await canvas.convertToBlob({ type: 'image/webp', quality })).arrayBuffer());
  let text = '';
  for (let at = 0; at < bytes.length; at += 0x8000) text += String.fromCharCode(...bytes.subarray(at, at + 0x8000));
  return btoa(text);
}

const read = (path) => readFileSync(path).toString('base64');

/** Width and height in pixels of a PNG file, which its first chunk says. */
function sizeOf(path) {
  const head = readFileSync(path).subarray(16, 24);
  return [head.readUInt32BE(0), head.readUInt32BE(4)];
}

/**
 * Renews the folder `docs` from the pictures in the folder `out`: a sheet for each of the scenes `names`, and the chosen
 * ones. `page` is any page of a browser. Gives one line that says what is there now.
 */
export async function keep(page, out, docs, names) {
  rmSync(docs, { recursive: true, force: true });
  mkdirSync(`${docs}sheets`, { recursive: true });
  let bytes = 0;
  const write = async (name, sheet) => {
    const path = `${docs}${name}.webp`;
    writeFileSync(path, Buffer.from(await page.evaluate(draw, sheet), 'base64'));
    bytes += statSync(path).size;
  };
  for (const name of chosen) {
    const path = `${out}${name}.png`;
    const size = sizeOf(path);
    await write(name, { size, pictures: [{ base64: read(path), place: [0, 0, ...size] }], quality: 0.86 });
  }
  for (const name of names) {
    const pictures = forms.map(({ form, place }) => ({ base64: read(`${out}${name}-${form}.png`), place }));
    await write(`sheets/${name}`, { ...sheet, pictures });
  }
  return `${names.length} sheets and ${chosen.length} pictures in docs/screenshots, ${(bytes / 1e6).toFixed(1)} MB`;
}
