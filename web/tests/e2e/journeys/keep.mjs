// Files whose bytes are kept on the device.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { png } from '../seed.mjs';
import { click, eventually, ownFolder, row } from '../steps.mjs';

const mark = (page, name, state) => row(page, name).locator(`[data-kept=${state}]`);
async function keep(page, name) {
  await click(page, name, { button: 'right' });
  await page.click('[role=menuitemcheckbox][data-action=keep-offline]');
}
const stored = (page) =>
  page.evaluate(async () => {
    const root = await navigator.storage.getDirectory();
    const names = [];
    for await (const [name, folder] of root.entries())
      if (name.startsWith('kept-')) for await (const [file] of folder.entries()) names.push(file);
    return names;
  });

export async function keepsFilesForTimesWithoutAConnection({ open, files, base, network }) {
  const page = await open();
  const folder = await ownFolder(page, files, base, 'For the boat');
  const charts = await files.folder('Charts', folder);
  await files.file('bay.png', png(320, 200, [20, 90, 160], [240, 220, 200]), 'image/png', charts);
  const note = await files.file('tides.txt', 'Low water at six.', 'text/plain', charts);
  await files.file('far.txt', 'not kept', 'text/plain', folder);
  await row(page, 'Charts').waitFor();
  await page.waitForFunction(() => navigator.serviceWorker.controller !== null);
  await keep(page, 'Charts');
  await mark(page, 'Charts', 'kept').waitFor();
  await row(page, 'Charts').dblclick();
  await mark(page, 'tides.txt', 'kept').waitFor();
  await mark(page, 'bay.png', 'kept').waitFor();
  // A new version made elsewhere is fetched by itself, and so is what is added.
  assert.equal(
    (
      await fetch(`${base}/api/v1/files/${note}`, {
        method: 'PUT',
        headers: { ...files.auth, 'content-type': 'text/plain' },
        body: 'High water at noon.',
      })
    ).status,
    200,
  );
  await files.file('buoys.txt', 'The third has drifted.', 'text/plain', charts);
  await mark(page, 'buoys.txt', 'kept').waitFor({ timeout: 20_000 });
  await eventually(
    () =>
      page.evaluate(async () => {
        const root = await navigator.storage.getDirectory();
        const texts = [];
        for await (const [name, kept] of root.entries())
          if (name.startsWith('kept-'))
            for await (const [, handle] of kept.entries()) texts.push(await (await handle.getFile()).text());
        return texts.includes('High water at noon.');
      }),
    true,
    'the new version is here',
    20_000,
  );
  await mark(page, 'tides.txt', 'kept').waitFor();
  // The part that shows text is here once it was used.
  await click(page, 'buoys.txt');
  await page.keyboard.press('Space');
  await page.locator('[role=dialog] pre', { hasText: 'The third has drifted.' }).waitFor();
  await page.keyboard.press('Escape');

  network.cut = true;
  await page.reload();
  await click(page, 'tides.txt');
  await page.keyboard.press('Space');
  await page.locator('[role=dialog] pre', { hasText: 'High water at noon.' }).waitFor();
  await page.keyboard.press('Escape');
  await click(page, 'bay.png');
  await page.keyboard.press('Space');
  await page.waitForFunction(() => document.querySelector('[role=dialog] img')?.naturalWidth === 320);
  await page.keyboard.press('Escape');
  const saved = page.waitForEvent('download');
  await click(page, 'tides.txt');
  await page.locator('[role=toolbar]').getByRole('button', { name: 'Download' }).click();
  assert.equal(readFileSync(await (await saved).path(), 'utf8'), 'High water at noon.');
  network.cut = false;

  await page.goto(`${base}/settings`);
  await page.locator('[data-keep]').getByText('Charts').waitFor();
  await page
    .locator('[data-keep]')
    .getByText(/ of 1\sGB/)
    .waitFor();
  await page.getByRole('button', { name: 'Keep “Charts” no longer' }).click();
  await eventually(() => stored(page), [], 'nothing of it is left', 15_000);
}

export async function tellsOfWhatTheBrowserClearedAndOfTooLittleRoom({ open, files, base }) {
  const page = await open();
  const folder = await ownFolder(page, files, base, 'Little room');
  await files.file('small.txt', 'x', 'text/plain', folder);
  await files.file('large.bin', 'y'.repeat(3_000_000), 'application/octet-stream', folder);
  await row(page, 'large.bin').waitFor();
  await page.evaluate(() => localStorage.setItem('holdfast.keep.budget', '1000000'));
  await page.focus('#files');
  await page.keyboard.press('Control+a');
  await click(page, 'small.txt', { button: 'right' });
  await page.click('[role=menuitemcheckbox][data-action=keep-offline]');
  await mark(page, 'small.txt', 'kept').waitFor();
  assert.equal(await mark(page, 'large.bin', 'coming').count(), 1);
  await page.goto(`${base}/settings`);
  await page.locator('[data-keep]').getByText('There is no room for 1 file.').waitFor();
  await page.locator('[data-keep] select').selectOption('1000000000');
  await eventually(async () => (await stored(page)).length, 2, 'with more room it comes');
  // The browser clears what it likes; that is said, and mended.
  await page.evaluate(async () => {
    const root = await navigator.storage.getDirectory();
    for await (const name of root.keys())
      if (name.startsWith('kept-')) await root.removeEntry(name, { recursive: true });
  });
  await page.goto(`${base}/files/${folder}`);
  await page.getByText(/^This browser has cleared 2 files/).waitFor({ timeout: 15_000 });
  await eventually(async () => (await stored(page)).length, 2, 'they are fetched again', 15_000);
}
