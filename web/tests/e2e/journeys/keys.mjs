// What the keyboard does in views and in quick look.
import assert from 'node:assert/strict';
import { click, eventually, ownFolder, row, selected } from '../steps.mjs';

/** A short sound, made here, as the browser plays no other kind for sure. */
function wav(seconds) {
  const rate = 8_000;
  const data = Buffer.alloc(44 + rate * seconds, 128);
  data.write('RIFF', 0);
  data.writeUInt32LE(36 + rate * seconds, 4);
  data.write('WAVEfmt ', 8);
  data.writeUInt32LE(16, 16);
  data.writeUInt16LE(1, 20);
  data.writeUInt16LE(1, 22);
  data.writeUInt32LE(rate, 24);
  data.writeUInt32LE(rate, 28);
  data.writeUInt16LE(1, 32);
  data.writeUInt16LE(8, 34);
  data.write('data', 36);
  data.writeUInt32LE(rate * seconds, 40);
  return data;
}
const cursor = (page) =>
  page.$eval('#files', (list) => document.getElementById(list.getAttribute('aria-activedescendant'))?.dataset.name);
const shown = (page) => page.innerText('[role=dialog] h2');

export async function movesTheCursorPastTheSelection({ open, files, base }) {
  const page = await open();
  const top = await ownFolder(page, files, base, 'Keys');
  for (const name of ['a.txt', 'b.txt', 'c.txt', 'd.txt', 'e.txt', 'f.txt'])
    await files.file(name, name, 'text/plain', top);
  await row(page, 'f.txt').waitFor();
  for (const view of [1, 2, 3, 4]) {
    await page.keyboard.press(`Control+${view}`);
    const next = view === 2 || view === 4 ? 'ArrowRight' : 'ArrowDown';
    await page.locator('#files [data-name="a.txt"]').click({ position: { x: 40, y: 14 } });
    await eventually(() => cursor(page), 'a.txt', `view ${view}`);
    const picked = () => page.$$eval('#files [aria-selected=true]', (rows) => rows.map((one) => one.dataset.name));
    await page.keyboard.press(`Control+${next}`);
    await page.keyboard.press(`Control+${next}`);
    assert.equal(await cursor(page), 'c.txt', `view ${view}`);
    assert.deepEqual(await picked(), ['a.txt'], `view ${view}`);
    await page.keyboard.press('Control+Space');
    assert.deepEqual(await picked(), ['a.txt', 'c.txt'], `view ${view}`);
    await page.keyboard.press('Control+End');
    assert.equal(await cursor(page), 'f.txt', `view ${view}`);
    await page.keyboard.press('Control+Space');
    assert.deepEqual(await picked(), ['a.txt', 'c.txt', 'f.txt'], `view ${view}`);
    await page.keyboard.press('Control+Space');
    await page.keyboard.press(`Control+${next === 'ArrowDown' ? 'ArrowUp' : 'ArrowLeft'}`);
    await page.keyboard.press(`Control+Shift+${next === 'ArrowDown' ? 'ArrowUp' : 'ArrowLeft'}`);
    assert.deepEqual(await picked(), ['a.txt', 'c.txt', 'd.txt', 'e.txt'], `view ${view}: a range beside the rest`);
    await page.keyboard.press('Escape');
  }
  await page.keyboard.press('Control+1');

  // Quick look goes through what is selected, and leaves it so.
  await click(page, 'a.txt');
  await click(page, 'c.txt', { modifiers: ['Control'] });
  await click(page, 'e.txt', { modifiers: ['Control'] });
  await page.keyboard.press('Space');
  await page.waitForSelector('[role=dialog] [data-place]');
  assert.equal(await shown(page), 'e.txt');
  await page.keyboard.press('ArrowRight');
  assert.equal(await shown(page), 'e.txt', 'the last one stays');
  await page.keyboard.press('ArrowLeft');
  await eventually(() => shown(page), 'c.txt');
  assert.equal(await page.innerText('[data-place]'), '2 of 3');
  await page.keyboard.press('ArrowLeft');
  await eventually(() => shown(page), 'a.txt');
  await page.keyboard.press('Escape');
  await page.waitForSelector('[role=dialog]', { state: 'detached' });
  assert.deepEqual(await selected(page), ['a.txt', 'c.txt', 'e.txt']);
  // With one it goes through the folder.
  await click(page, 'b.txt');
  await page.keyboard.press('Space');
  await page.waitForSelector('[role=dialog]');
  await page.keyboard.press('ArrowRight');
  await eventually(() => shown(page), 'c.txt');
  await page.keyboard.press('Space');
  await page.waitForSelector('[role=dialog]', { state: 'detached' });
  assert.deepEqual(await selected(page), ['c.txt']);
}

export async function playsAndZoomsByKeys({ open, files, base }) {
  const page = await open();
  const top = await ownFolder(page, files, base, 'Played');
  await files.file('tone.wav', wav(30), 'audio/wav', top);
  await row(page, 'tone.wav').waitFor();
  await click(page, 'tone.wav');
  await page.keyboard.press('Space');
  await page.waitForFunction(() => document.querySelector('[role=dialog] video')?.readyState >= 1);
  const paused = () => page.$eval('[role=dialog] video', (media) => media.paused);
  await page.keyboard.press('Space');
  await eventually(paused, false, 'Space plays');
  await page.keyboard.press('Space');
  await eventually(paused, true, 'Space stops, and the window stays');
  await page.focus('[role=dialog] input[type=range]');
  await page.keyboard.press('Space');
  await eventually(paused, false, 'Space plays on the line too');
  await page.keyboard.press('Escape');
  await page.waitForSelector('[role=dialog]', { state: 'detached' });

  await page.goto(`${base}/files/${files.photos}`);
  await row(page, 'Coast 2.png').waitFor();
  await click(page, 'Coast 2.png');
  await page.keyboard.press('Space');
  await page.waitForSelector('[data-zoom-frame] img.opacity-100');
  const view = () =>
    page.$eval('[data-zoom-frame] img.opacity-100', (image) => {
      const { a, e, f } = new DOMMatrix(getComputedStyle(image).transform);
      return { zoom: Math.round(a * 100) / 100, x: Math.round(e), y: Math.round(f) };
    });
  assert.equal((await view()).zoom, 1);
  for (let press = 0; press < 4; press += 1) await page.keyboard.press('+');
  await eventually(async () => (await view()).zoom, 5.06);
  await page.keyboard.press('ArrowRight');
  await page.keyboard.press('ArrowDown');
  await eventually(view, { zoom: 5.06, x: -80, y: -80 }, 'arrows move what is zoomed');
  assert.equal(await shown(page), 'Coast 2.png');
  for (let press = 0; press < 80; press += 1) await page.keyboard.press('ArrowRight');
  const edge = await page.$eval('[data-zoom-frame]', (frame) => {
    const image = frame.querySelector('img.opacity-100').getBoundingClientRect();
    return image.right >= frame.getBoundingClientRect().left + 24;
  });
  assert.ok(edge, 'it is never lost');
  await page.keyboard.press('-');
  await eventually(async () => (await view()).zoom, 3.38);
  await page.keyboard.press('0');
  await eventually(view, { zoom: 1, x: 0, y: 0 });
  await page.keyboard.press('ArrowRight');
  await eventually(() => shown(page), 'Coast 3.png');
}
