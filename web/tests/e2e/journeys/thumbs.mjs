// Small pictures: in every view, the right way up, made once, and there without a connection.
import assert from 'node:assert/strict';
import { png } from '../seed.mjs';
import { click, eventually, ownFolder, row } from '../steps.mjs';

/** Runs inside a page: a picture that is wider than high, with a note that it is to be turned by a quarter. */
async function turnedJpeg() {
  const canvas = new OffscreenCanvas(900, 600);
  const pen = canvas.getContext('2d');
  pen.fillStyle = 'teal';
  pen.fillRect(0, 0, 900, 600);
  const plain = new Uint8Array(await (await canvas.convertToBlob({ type: 'image/jpeg' })).arrayBuffer());
  // Exif, big-endian, one entry: orientation (0x0112), a short, 6.
  const note = [
    0xff, 0xe1, 0, 34, 0x45, 0x78, 0x69, 0x66, 0, 0, 0x4d, 0x4d, 0, 42, 0, 0, 0, 8, 0, 1, 1, 0x12, 0, 3, 0, 0, 0, 1, 0,
    6, 0, 0, 0, 0, 0, 0,
  ];
  return [...plain.subarray(0, 2), ...note, ...plain.subarray(2)];
}

/** Runs inside a page: a second of a film. */
async function shortFilm() {
  const canvas = document.createElement('canvas');
  canvas.width = 320;
  canvas.height = 180;
  const pen = canvas.getContext('2d');
  const recorder = new MediaRecorder(canvas.captureStream(25), { mimeType: 'video/webm' });
  const parts = [];
  recorder.ondataavailable = (event) => parts.push(event.data);
  const ended = new Promise((resolve) => (recorder.onstop = resolve));
  recorder.start();
  const begin = performance.now();
  while (performance.now() - begin < 1_200) {
    pen.fillStyle = `hsl(${performance.now() / 5} 70% 60%)`;
    pen.fillRect(0, 0, 320, 180);
    await new Promise((resolve) => requestAnimationFrame(resolve));
  }
  recorder.stop();
  await ended;
  return [...new Uint8Array(await new Blob(parts).arrayBuffer())];
}

/** Runs inside a page: how many bytes each picture takes that is kept on the device. */
async function keptSizes() {
  const { name } = (await indexedDB.databases()).find((one) => one.name.startsWith('holdfast-thumbs-'));
  const ask = (request) =>
    new Promise((resolve, reject) => ((request.onsuccess = () => resolve(request.result)), (request.onerror = reject)));
  const db = await ask(indexedDB.open(name));
  const rows = await ask(db.transaction('kept').objectStore('kept').getAll());
  db.close();
  return rows.filter((one) => one.picture).map((one) => one.picture.size);
}

const thumb = (page, name) => row(page, name).locator('img[data-thumb]');
const shape = (page, name) =>
  thumb(page, name).evaluate((image) => [
    image.naturalWidth > image.naturalHeight ? 'wide' : 'high',
    Math.max(image.naturalWidth, image.naturalHeight),
  ]);

export async function picturesAreSmallAndMadeOnce({ open, files, base, network }) {
  const page = await open();
  const folder = await ownFolder(page, files, base, 'Small pictures');
  const ids = new Map();
  const requests = [];
  page.on('request', (request) => {
    const [, id] = /\/api\/v1\/files\/(ent_[^/?]+)$/.exec(new URL(request.url()).pathname) ?? [];
    if (id) requests.push(id);
  });
  const asked = () => requests.map((id) => [...ids].find(([, one]) => one === id)?.[0]);
  const put = async (name, bytes, type) => ids.set(name, await files.file(name, Buffer.from(bytes), type, folder));
  await put('wide.png', png(1200, 800, [250, 180, 130], [50, 80, 150]), 'image/png');
  await put('turned.jpg', await page.evaluate(turnedJpeg), 'image/jpeg');
  await put(
    'drawing.svg',
    Buffer.from(
      '<svg xmlns="http://www.w3.org/2000/svg" width="40" height="20"><circle cx="20" cy="10" r="9" fill="red"/></svg>',
    ),
    'image/svg+xml',
  );
  await put('film.webm', await page.evaluate(shortFilm), 'video/webm');
  await put('broken.png', Buffer.alloc(20_000, 7), 'image/png');
  await row(page, 'broken.png').waitFor();

  // In the lines of the list already.
  for (const name of ['wide.png', 'turned.jpg', 'drawing.svg', 'film.webm']) await thumb(page, name).waitFor();
  await page.waitForFunction(() => navigator.serviceWorker.controller !== null);
  await page.keyboard.press('Control+2');
  await thumb(page, 'film.webm').waitFor();
  // Their room is that of the originals, their bytes are not.
  assert.deepEqual(await shape(page, 'wide.png'), ['wide', 1200]);
  assert.deepEqual(await shape(page, 'turned.jpg'), ['high', 900]);
  assert.equal((await shape(page, 'drawing.svg'))[0], 'wide');
  assert.equal((await shape(page, 'film.webm'))[0], 'wide');
  const sizes = await page.evaluate(keptSizes);
  assert.ok(sizes.length >= 4 && Math.max(...sizes) < 60_000, `small pictures of ${sizes} bytes`);
  await eventually(() => asked().includes('broken.png'), true, 'the broken one is tried');
  // Each was asked for once, though it is shown in two views; the film in pieces.
  assert.deepEqual(
    asked()
      .filter((name) => name !== 'film.webm')
      .sort(),
    ['broken.png', 'drawing.svg', 'turned.jpg', 'wide.png'],
  );

  // Without a connection they are there, and nothing is asked for again: not even what could not be drawn.
  requests.length = 0;
  network.cut = true;
  await page.reload();
  for (const name of ['wide.png', 'turned.jpg', 'drawing.svg', 'film.webm']) await thumb(page, name).waitFor();
  network.cut = false;
  await page.reload();
  await thumb(page, 'turned.jpg').waitFor();
  await page.keyboard.press('Control+4');
  await thumb(page, 'film.webm').waitFor();
  await page.keyboard.press('Control+1');
  await thumb(page, 'wide.png').waitFor();
  assert.deepEqual(
    asked().filter((name) => name !== 'drawing.svg' && name !== 'broken.png'),
    [],
    'nothing is fetched twice',
  );
  assert.ok(
    asked().filter((name) => name === 'broken.png').length <= 1,
    'what cannot be drawn is not tried again, but where it is to be shown large',
  );

  // Other bytes are another picture.
  await fetch(`${base}/api/v1/files/${ids.get('wide.png')}`, {
    method: 'PUT',
    headers: { ...files.auth, 'content-type': 'image/png' },
    body: png(300, 700, [250, 180, 130], [50, 80, 150]),
  });
  await page.keyboard.press('Control+2');
  await eventually(
    () => shape(page, 'wide.png').catch(() => null),
    ['high', 700],
    'the picture follows the bytes',
    15_000,
  );

  // Quick look has a strip of what lies beside.
  await click(page, 'turned.jpg');
  await page.keyboard.press('Space');
  await page.locator('[role=dialog] [data-strip] button[aria-current]').waitFor();
  assert.equal(await page.locator('[role=dialog] [data-strip] button').count(), 5);
  await page.locator('[role=dialog] [data-strip] button[aria-label="wide.png"]').click();
  await page.locator('[role=dialog] h2:has-text("wide.png")').waitFor();
  await page.keyboard.press('Space');
  await page.waitForSelector('[role=dialog]', { state: 'detached' });

  await page.goto(`${base}/settings`);
  await page.locator('[data-thumbs] button').click();
  await page.locator('[data-thumbs]').getByText('0 B').waitFor();
  assert.deepEqual(await page.evaluate(keptSizes), []);
}
