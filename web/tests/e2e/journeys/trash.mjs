// Deleting, and what is deleted coming back.
import assert from 'node:assert/strict';
import { click, eventually, names, onServer, ownFolder, row, settled } from '../steps.mjs';

const inTrash = async (files) => (await (await files.call('GET', '/trash?limit=1000')).json()).items.map((item) => item.name);

export async function deletesWithoutAQuestionAndTakesItBack({ open, files, base, network }) {
  const page = await open();
  const folder = await ownFolder(page, files, base, 'Delete here');
  const inner = await files.folder('Inner', folder);
  await files.file('deep.txt', 'deep', 'text/plain', inner);
  await files.file('a.txt', 'a', 'text/plain', folder);
  await row(page, 'a.txt').waitFor();
  await click(page, 'Inner');
  await page.keyboard.press('Delete');
  await eventually(() => names(page), ['a.txt']);
  await settled(page);
  assert.ok((await inTrash(files)).includes('Inner'));
  await page.getByRole('button', { name: 'Undo' }).last().click();
  await row(page, 'Inner').waitFor();
  await eventually(() => onServer(files, folder), ['Inner', 'a.txt']);
  await settled(page);
  // With all that was in it.
  await row(page, 'Inner').dblclick({ position: { x: 60, y: 12 } });
  await row(page, 'deep.txt').waitFor();
  await page.goBack();

  // Deleted and taken back before the server ever heard of it.
  await row(page, 'a.txt').waitFor();
  network.cut = true;
  await click(page, 'a.txt');
  await page.keyboard.press('Delete');
  await eventually(() => names(page), ['Inner']);
  await page.keyboard.press('Control+z');
  await eventually(() => names(page), ['Inner', 'a.txt']);
  network.cut = false;
  await settled(page);
  assert.deepEqual(await onServer(files, folder), ['Inner', 'a.txt']);
  await page.keyboard.press('Control+Shift+z');
  await eventually(() => onServer(files, folder), ['Inner'], 'it is deleted again');
}

export async function bringsBackFromTheTrashAndEmptiesIt({ open, files, base }) {
  const page = await open();
  const folder = await ownFolder(page, files, base, 'For the trash');
  const ids = {};
  for (const name of ['back.txt', 'gone.txt', 'rest.txt']) ids[name] = await files.file(name, name, 'text/plain', folder);
  await row(page, 'rest.txt').waitFor();
  for (const name of Object.keys(ids)) {
    await click(page, name);
    await page.keyboard.press('Delete');
  }
  await eventually(() => onServer(files, folder), []);
  await page.getByRole('link', { name: 'Trash' }).click();
  const line = (name) => page.locator(`[data-trashed="${name}"]`);
  await line('back.txt').waitFor();
  assert.match(await line('back.txt').innerText(), /My files › For the trash/);
  await line('back.txt').getByRole('button', { name: 'Restore' }).click();
  await eventually(() => onServer(files, folder), ['back.txt']);
  await line('gone.txt').getByRole('button', { name: 'Delete for good' }).click();
  await page.click('[data-confirm-delete]');
  await line('gone.txt').waitFor({ state: 'detached' });
  assert.equal((await files.call('GET', `/entries/${ids['gone.txt']}`)).status, 404);
  // What lost its folder comes back to the top.
  assert.equal((await files.call('DELETE', `/entries/${folder}`)).status, 204);
  await line('rest.txt').getByRole('button', { name: 'Restore' }).click();
  await page.waitForSelector('text=It was put into your files');
  await page.reload();
  await line('For the trash').waitFor();
  await page.click('[data-empty-trash]');
  await page.click('[data-confirm-delete]');
  await page.waitForSelector('text=The trash is empty', { timeout: 30_000 });
  assert.deepEqual(await inTrash(files), []);
}
