// Text edited in quick look: versions, somebody else's work, and nothing typed that is lost.
import AxeBuilder from '@axe-core/playwright';
import assert from 'node:assert/strict';
import { click, eventually, onServer, ownFolder, row } from '../steps.mjs';

export async function editsTextWithVersions({ open, files, base, network, out }) {
  const page = await open();
  const folder = await ownFolder(page, files, base, 'Edited');
  const note = await files.file('note.md', '# Tides\r\n\r\nLow at six.\r\n', 'text/markdown', folder);
  await row(page, 'note.md').waitFor();
  const text = async (id = note) => (await files.call('GET', `/files/${id}`)).text();
  const dialog = page.locator('[role=dialog]');
  const begin = async () => {
    await dialog.locator('[data-edit-text]').click();
    await dialog.locator('textarea').waitFor();
  };
  await click(page, 'note.md');
  await page.keyboard.press('Space');
  await begin();
  // Space, arrows and letters are for the text here.
  await page.keyboard.press('Control+End');
  await page.keyboard.type('High at noon. ');
  await page.keyboard.press('ArrowUp');
  await dialog.locator('textarea').waitFor();
  const { violations } = await new AxeBuilder({ page })
    .include('[role=dialog]')
    .withTags(['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'])
    .analyze();
  assert.deepEqual(
    violations.map((one) => one.id),
    [],
  );
  await page.screenshot({ path: `${out}edit.png` });
  // Nothing takes away what was typed but a word that it may go.
  await page.keyboard.press('Escape');
  await page.getByText('Save or discard what you have typed first.', { exact: true }).waitFor();
  await page.keyboard.press('Control+s');
  await dialog.locator('[data-editor]').waitFor({ state: 'detached' });
  await eventually(() => text(), '# Tides\r\n\r\nLow at six.\r\nHigh at noon. ', 'the lines end as they did');
  await dialog.getByText('High at noon.').waitFor();
  assert.equal((await (await files.call('GET', `/files/${note}/versions`)).json()).items.length, 2);

  // Somebody saves meanwhile.
  const theirs = async (words) =>
    assert.equal(
      (
        await fetch(`${base}/api/v1/files/${note}`, {
          method: 'PUT',
          headers: { ...files.auth, 'content-type': 'text/markdown' },
          body: words,
        })
      ).status,
      200,
    );
  await begin();
  await theirs('Theirs.');
  await dialog.locator('textarea').fill('Mine.');
  await dialog.locator('[data-save-text]').click();
  await dialog.locator('[data-save-beside]').click();
  await dialog.locator('[data-editor]').waitFor({ state: 'detached' });
  await eventually(() => onServer(files, folder), ['note (2).md', 'note.md'], 'both are there');
  assert.equal(await text(), 'Theirs.');
  await begin();
  await theirs('Theirs again.');
  await dialog.locator('textarea').fill('Mine on top.');
  await dialog.locator('[data-save-text]').click();
  await dialog.locator('[data-save-last]').click();
  await dialog.locator('[data-editor]').waitFor({ state: 'detached' });
  assert.equal(await text(), 'Mine on top.');
  assert.equal(
    (await (await files.call('GET', `/files/${note}/versions`)).json()).items.length,
    5,
    'theirs are earlier versions',
  );

  // Without a connection it is kept here, shown as the newest, and sent when there is one.
  await begin();
  await dialog.locator('textarea').fill('Typed at sea.');
  network.cut = true;
  await dialog.locator('[data-save-text]').click();
  await dialog.locator('[data-editor]').waitFor({ state: 'detached' });
  await dialog.getByText('Typed at sea.').waitFor();
  await dialog.locator('[data-waiting]').waitFor();
  network.cut = false;
  await eventually(() => text(), 'Typed at sea.', 'it is saved', 15_000);
  await dialog.locator('[data-waiting]').waitFor({ state: 'detached' });
}
