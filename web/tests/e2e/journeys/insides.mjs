// Quick look into archives, tables and fonts, and what a camera noted in a picture.
import AxeBuilder from '@axe-core/playwright';
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { dist } from '../serve.mjs';
import { click, ownFolder, row } from '../steps.mjs';

async function noBarriers(page, where) {
  const { violations } = await new AxeBuilder({ page })
    .include('[role=dialog]')
    .withTags(['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'])
    .analyze();
  assert.deepEqual(
    violations.map(
      (one) =>
        `${where}: ${one.id}: ${one.nodes.map((node) => `${node.target.join(' ')} ${node.any[0]?.message ?? ''}`).join(' | ')}`,
    ),
    [],
  );
}

/** Runs inside a page: a photograph with a note of its camera: model, time, exposure. */
async function notedJpeg() {
  const canvas = new OffscreenCanvas(1200, 800);
  const pen = canvas.getContext('2d');
  pen.fillStyle = 'teal';
  pen.fillRect(0, 0, 1200, 800);
  const plain = new Uint8Array(await (await canvas.convertToBlob({ type: 'image/jpeg' })).arrayBuffer());
  const two = (value) => [value >> 8, value & 255];
  const four = (value) => [...two(value >>> 16), ...two(value & 65_535)];
  const text = (value) => [...new TextEncoder().encode(value), 0];
  // Big-endian: one directory with the model and the way to the next, which has the time and the exposure.
  const model = text('Coastcam 6');
  const taken = text('2026:11:21 06:12:00');
  const main = 8,
    shot = main + 2 + 24 + 4,
    data = shot + 2 + 24 + 4;
  const body = [
    0x4d,
    0x4d,
    0,
    42,
    ...four(main),
    ...two(2),
    ...two(0x0110),
    ...two(2),
    ...four(model.length),
    ...four(data),
    ...two(0x8769),
    ...two(4),
    ...four(1),
    ...four(shot),
    ...four(0),
    ...two(2),
    ...two(0x829a),
    ...two(5),
    ...four(1),
    ...four(data + model.length + taken.length),
    ...two(0x9003),
    ...two(2),
    ...four(taken.length),
    ...four(data + model.length),
    ...four(0),
    ...model,
    ...taken,
    ...four(1),
    ...four(250),
  ];
  return [
    ...plain.subarray(0, 2),
    0xff,
    0xe1,
    ...two(body.length + 8),
    0x45,
    0x78,
    0x69,
    0x66,
    0,
    0,
    ...body,
    ...plain.subarray(2),
  ];
}

export async function looksInside({ open, files, base, out }) {
  const page = await open();
  const folder = await ownFolder(page, files, base, 'Insides');
  const packed = await files.folder('Снимки', folder);
  await files.file('Утро.txt', 'x'.repeat(2_000), 'text/plain', packed);
  await files.file('map.pdf', 'y'.repeat(500), 'application/pdf', await files.folder('deep', packed));
  const archive = async (format) =>
    Buffer.from(await (await files.call('GET', `/archive?entries=${packed}&format=${format}`)).arrayBuffer());
  await files.file('one.zip', await archive('zip'), 'application/zip', folder);
  const tar = await archive('tar');
  await files.file('two.tar', tar, 'application/x-tar', folder);
  await files.file('three.tar.gz', gzipSync(tar), 'application/gzip', folder);
  await files.file('broken.zip', Buffer.alloc(3_000, 9), 'application/zip', folder);
  await files.file(
    'stations.csv',
    `Station;Height;Note\n${Array.from({ length: 3_000 }, (_, at) => `Post ${at};${at / 10};"a; b"`).join('\n')}\n`,
    'text/csv',
    folder,
  );
  const font = readdirSync(join(dist, 'assets')).find((name) => /^onest-cyrillic-wght.*woff2$/.test(name));
  await files.file('onest.woff2', readFileSync(join(dist, 'assets', font)), 'font/woff2', folder);
  await files.file('bad.ttf', Buffer.alloc(900, 3), 'font/ttf', folder);
  await files.file('shot.jpg', Buffer.from(await page.evaluate(notedJpeg)), 'image/jpeg', folder);
  await row(page, 'two.tar').waitFor();
  const dialog = page.locator('[role=dialog]');
  const look = async (name, act) => {
    await click(page, name);
    await page.keyboard.press('Space');
    await dialog.waitFor();
    await act();
    await page.screenshot({ path: `${out}insides-${name}.png` });
    await page.keyboard.press('Escape');
    await dialog.waitFor({ state: 'detached' });
  };
  for (const name of ['one.zip', 'two.tar', 'three.tar.gz'])
    await look(name, async () => {
      await dialog.locator('[data-packed="Снимки/deep/map.pdf"]').waitFor();
      const lines = await dialog.locator('[data-packed]').evaluateAll((all) => all.map((one) => one.dataset.packed));
      assert.deepEqual(lines, ['Снимки', 'Снимки/deep', 'Снимки/deep/map.pdf', 'Снимки/Утро.txt']);
      assert.match((await dialog.innerText()).replaceAll(/\s/g, ' '), /2 files, 2\.5 KB unpacked/);
      if (name === 'one.zip') await noBarriers(page, name);
    });
  await look('broken.zip', () => dialog.getByText('The list of what is in it cannot be read').waitFor());
  await look('stations.csv', async () => {
    await dialog.locator('[role=columnheader]', { hasText: 'Height' }).waitFor();
    await dialog.locator('[role=cell]', { hasText: 'a; b' }).first().waitFor();
    assert.ok((await dialog.locator('[role=row]').count()) < 60, 'only what is in sight is in the page');
    assert.equal(await dialog.locator('[role=table]').getAttribute('aria-rowcount'), '3001');
    await noBarriers(page, 'table');
  });
  await look('onest.woff2', async () => {
    await dialog.locator('[data-font]').waitFor();
    await noBarriers(page, 'font');
  });
  await look('bad.ttf', () => dialog.getByText('The preview could not be loaded').waitFor());
  await look('shot.jpg', async () => {
    await dialog.locator('[data-look-facts]').click();
    const facts = dialog.locator('[data-picture-facts]');
    await facts.getByText('Coastcam 6').waitFor();
    const text = (await facts.innerText()).replaceAll(/\s+/g, ' ');
    for (const fact of ['1200 × 800', '1/250 s', 'Nov 21, 2026']) assert.ok(text.includes(fact), `${fact} in ${text}`);
    await noBarriers(page, 'facts');
  });
  await page.locator('aside [data-picture-facts]').getByText('Coastcam 6').waitFor();
}
