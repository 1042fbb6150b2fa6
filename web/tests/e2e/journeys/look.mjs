// How the page looks to those who ask for it otherwise: without motion, in the colours of the system, denser or wider, in
// a narrow window. And that it stays as it was arranged.
import assert from 'node:assert/strict';
import { click, eventually, openFolder, ownFolder, row, settled } from '../steps.mjs';

const running = (page) =>
  page.evaluate(() =>
    document
      .getAnimations()
      .filter((one) => one.playState === 'running')
      .map((one) => `${one.animationName ?? one.transitionProperty} ${one.effect?.target?.className}`),
  );

/** A folder of its own with one file to work with, so that what other journeys leave is in nobody's way. */
async function desk(page, files, base, name) {
  const at = await ownFolder(page, files, base, name);
  await files.file('main.rs', 'fn main() {}\n', 'text/plain', at);
  await files.file('other.rs', 'fn other() {}\n', 'text/plain', at);
  await row(page, 'other.rs').waitFor();
  return `${base}/files/${at}`;
}

export async function standsStillForThoseWhoAskForIt({ open, files, base }) {
  const page = await open();
  await page.goto(`${base}/ui`);
  await page.waitForSelector('main section');
  await eventually(async () => (await running(page)).length > 0, true, 'the page of all parts moves otherwise');
  await page.emulateMedia({ reducedMotion: 'reduce' });
  await eventually(() => running(page), [], 'nothing moves');

  await desk(page, files, base, 'Still');
  await click(page, 'main.rs');
  await page.keyboard.press('Space');
  await page.waitForSelector('[role=dialog] .code');
  assert.deepEqual(await running(page), [], 'quick look is there at once');
  await page.keyboard.press('Escape');
  await page.waitForSelector('[role=dialog]', { state: 'detached' });
  await click(page, 'main.rs', { button: 'right' });
  await page.waitForSelector('[role=menu]');
  assert.deepEqual(await running(page), [], 'so is a menu');
}

export async function keepsFocusAndSelectionInTheColoursOfTheSystem({ open, files, base }) {
  const page = await open();
  await desk(page, files, base, 'Coloured');
  await page.emulateMedia({ forcedColors: 'active' });
  await click(page, 'main.rs');
  const ring = (selector) =>
    page.$eval(selector, (element) => {
      const style = getComputedStyle(element);
      return style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2;
    });
  for (const view of [1, 2]) {
    await page.keyboard.press(`Control+${view}`);
    await row(page, 'main.rs').waitFor();
    assert.equal(await ring('#files [aria-selected=true]'), true, `view ${view}`);
    assert.equal(await ring('#files [aria-selected=false]'), false, `view ${view}`);
  }
  await page.keyboard.press('Control+1');
  await page.focus('[aria-label=Back]');
  await page.keyboard.press('Tab');
  await page.keyboard.press('Shift+Tab');
  assert.equal(await ring('[aria-label=Back]'), true, 'the focus shows');
}

export async function staysAsItWasArranged({ open, base, files }) {
  const page = await open();
  const place = await desk(page, files, base, 'Arranged');
  const height = () => row(page, 'main.rs').evaluate((line) => line.getBoundingClientRect().height);
  for (const [density, wanted] of [
    ['compact', 28],
    ['relaxed', 44],
    ['default', 34],
  ]) {
    await page.goto(`${base}/settings`);
    await page
      .locator(
        `input[type=radio][aria-label=${{ compact: 'Compact', relaxed: 'Relaxed', default: 'Default' }[density]}]`,
      )
      .check();
    await page.goto(place);
    await row(page, 'main.rs').waitFor();
    await eventually(height, wanted, density);
  }

  const widths = () =>
    page.$$eval('[role=separator]', (all) => all.map((one) => Number(one.getAttribute('aria-valuenow'))));
  const before = await widths();
  assert.equal(before.length, 2);
  await page.locator('[role=separator]').first().press('ArrowRight');
  await page.locator('[role=separator]').last().press('ArrowLeft');
  const after = before.map((width) => width + 16);
  assert.deepEqual(await widths(), after);
  await page.reload();
  await row(page, 'main.rs').waitFor();
  assert.deepEqual(await widths(), after, 'panes keep their width');
  const sidebar = () => page.$eval('aside', (pane) => Math.round(pane.getBoundingClientRect().width));
  await page.click('[aria-label="Collapse the sidebar"]');
  await eventually(sidebar, 52);
  await page.reload();
  await row(page, 'main.rs').waitFor();
  assert.equal(await sidebar(), 52, 'the rail stays one');
  await page.click('[aria-label="Show the sidebar"]');

  // The way to a deep folder folds where it has no room, and still leads everywhere.
  const names = ['A folder with a name of some length', 'Second floor', 'Third room', 'Fourth shelf'];
  let at = await ownFolder(page, files, base, names[0]);
  for (const name of names.slice(1)) at = await files.folder(name, at);
  await page.goto(`${base}/files/${at}`);
  await page.waitForFunction(() => document.querySelector('nav h1')?.textContent?.trim() === 'Fourth shelf');
  await settled(page);
  await page.setViewportSize({ width: 1_900, height: 900 });
  const steps = () => page.$$eval('nav[aria-label=Path] a', (all) => all.map((one) => one.textContent.trim()));
  await eventually(steps, ['My files', ...names.slice(0, 3)], 'all of it where there is room');
  await page.setViewportSize({ width: 820, height: 900 });
  const fold = page.locator('nav[aria-label=Path] [aria-haspopup=menu]');
  await fold.waitFor();
  const one = await page.$eval('nav[aria-label=Path]', (nav) => nav.getBoundingClientRect().height);
  assert.ok(one < 48, 'on one line');
  await fold.click();
  await page.locator('[role=menuitem]', { hasText: 'Second floor' }).click();
  await page.waitForFunction(() => document.querySelector('nav h1')?.textContent?.trim() === 'Second floor');
  await openFolder(page, 'Third room');
}
