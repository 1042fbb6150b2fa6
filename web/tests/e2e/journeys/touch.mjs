// Picking several entries by finger, in every view, on a phone and on a tablet.
import AxeBuilder from '@axe-core/playwright';
import assert from 'node:assert/strict';
import { eventually, onServer, row } from '../steps.mjs';

/** A finger that rests on a name until it is taken for that. */
async function hold(page, name, until = '[data-pick]') {
  const cdp = await page.context().newCDPSession(page);
  const box = await row(page, name).first().boundingBox();
  const at = { x: box.x + Math.min(box.width / 2, 70), y: box.y + box.height / 2 };
  await cdp.send('Input.dispatchTouchEvent', { type: 'touchStart', touchPoints: [at] });
  await page.waitForSelector(until);
  await cdp.send('Input.dispatchTouchEvent', { type: 'touchEnd', touchPoints: [] });
  await cdp.detach();
}
const tap = async (page, name) => {
  const box = await row(page, name).first().boundingBox();
  await page.touchscreen.tap(box.x + Math.min(box.width / 2, 70), box.y + box.height / 2);
};
const selected = (page) => page.$$eval('#files [aria-selected=true]', (rows) => rows.map((one) => one.dataset.name));
const counted = (page, text) => eventually(() => page.innerText('[data-count]'), text, 'the count');
const cancel = (page) => page.click('[role=toolbar] [aria-label=Cancel]');
const noMark = (page) => page.waitForSelector('[data-pick]', { state: 'detached' });

export async function picksSeveralByFinger({ open, files, base, out }) {
  const top = await files.folder('By finger');
  await files.folder('Goal', top);
  for (const name of ['one.txt', 'two.txt', 'three.txt', 'four.txt']) await files.file(name, name, 'text/plain', top);
  const page = await open({ width: 390, height: 844, touch: true });
  await page.goto(`${base}/files/${top}`);
  await row(page, 'two.txt').waitFor();

  for (const view of ['list', 'grid', 'columns', 'gallery']) {
    await page.click('header [aria-label=More]');
    await page.click(`[data-action=sort-name]`);
    await page.evaluate(() => document.activeElement?.blur());
    await page.keyboard.press(`Control+${['list', 'grid', 'columns', 'gallery'].indexOf(view) + 1}`);
    await row(page, 'two.txt').waitFor();
    await hold(page, 'two.txt');
    assert.equal(await page.$('[role=menu]'), null, 'a resting finger opens no menu');
    assert.deepEqual(await selected(page), ['two.txt'], `${view}: the one under the finger`);
    await counted(page, '1 selected');
    await tap(page, 'one.txt');
    await counted(page, '2 selected');
    // The second of two quick taps opens nothing.
    await tap(page, 'three.txt');
    await tap(page, 'three.txt');
    await counted(page, '2 selected');
    assert.equal(await page.$('[role=dialog]'), null, `${view}: taps open nothing`);
    assert.deepEqual((await selected(page)).sort(), ['one.txt', 'two.txt'], view);
    await page.screenshot({ path: `${out}touch-${view}.png` });
    if (view === 'list' || view === 'gallery') {
      const { violations } = await new AxeBuilder({ page }).analyze();
      assert.deepEqual(
        violations.map((one) => `${one.id} ${one.nodes[0].target}`),
        [],
      );
    }
    await cancel(page);
    await noMark(page);
    assert.deepEqual(await selected(page), [], `${view}: nothing stays`);
  }
  await page.keyboard.press('Control+1');
  await row(page, 'two.txt').waitFor();

  // Without the mode a tap opens, and leaves nothing selected.
  await tap(page, 'one.txt');
  await page.waitForSelector('[role=dialog]');
  await page.click('[role=dialog] [aria-label=Close]');
  await page.waitForSelector('[role=dialog]', { state: 'detached' });
  assert.deepEqual(await selected(page), []);

  // Taking the last one out ends it; so does a menu entry begin it.
  await hold(page, 'four.txt');
  await tap(page, 'four.txt');
  await noMark(page);
  await page.click('header [aria-label=More]');
  await page.click('[data-action=pick]');
  await counted(page, 'Tap what you want');
  await tap(page, 'three.txt');
  await counted(page, '1 selected');

  // All that a long press offered elsewhere is behind the dots, cutting among it.
  await page.click('[role=toolbar] [aria-haspopup=menu]');
  await page.click('[data-action=cut]');
  await noMark(page);
  await tap(page, 'Goal');
  await page.waitForFunction(() => document.querySelector('nav h1')?.textContent?.trim() === 'Goal');
  await page.click('header [aria-label=More]');
  await page.click('[data-action=paste]');
  await eventually(() => onServer(files, top), ['Goal', 'four.txt', 'one.txt', 'two.txt']);

  // A finger that moves scrolls, and picks nothing.
  await page.goto(`${base}/files/${top}`);
  await row(page, 'two.txt').waitFor();
  const cdp = await page.context().newCDPSession(page);
  const box = await row(page, 'two.txt').boundingBox();
  const at = { x: box.x + 60, y: box.y + 20 };
  await cdp.send('Input.dispatchTouchEvent', { type: 'touchStart', touchPoints: [at] });
  await cdp.send('Input.dispatchTouchEvent', { type: 'touchMove', touchPoints: [{ ...at, y: at.y + 40 }] });
  await page.waitForTimeout(600);
  await cdp.send('Input.dispatchTouchEvent', { type: 'touchEnd', touchPoints: [] });
  assert.equal(await page.$('[data-pick]'), null);

  // Deleting several takes the mode along.
  await hold(page, 'one.txt');
  await tap(page, 'two.txt');
  await page.click('[role=toolbar] [aria-label=Delete]');
  await noMark(page);
  await eventually(() => onServer(files, top), ['Goal', 'four.txt']);

  const tablet = await open({ width: 820, height: 1100, touch: true });
  await tablet.goto(`${base}/files/${top}`);
  await row(tablet, 'four.txt').waitFor();
  await hold(tablet, 'four.txt');
  await tap(tablet, 'Goal');
  await counted(tablet, '2 selected');
  await tablet.screenshot({ path: `${out}touch-tablet.png` });
  await cancel(tablet);
  await noMark(tablet);
}
