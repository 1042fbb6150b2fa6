// What a file was before, and what was done.
import assert from 'node:assert/strict';
import { click, eventually, onServer, ownFolder, row } from '../steps.mjs';

export async function goesBackToAnEarlierVersion({ open, files, base, apiBase }) {
  const page = await open();
  const folder = await ownFolder(page, files, base, 'Versions');
  const id = await files.file('text.txt', 'first', 'text/plain', folder);
  const put = (text) =>
    fetch(`${apiBase}/api/v1/files/${id}`, {
      method: 'PUT',
      headers: { ...files.auth, 'content-type': 'text/plain' },
      body: text,
    });
  const content = async () => (await files.call('GET', `/files/${id}`)).text();
  assert.equal((await put('second, longer')).status, 200);
  await row(page, 'text.txt').waitFor();
  await click(page, 'text.txt');
  await page.waitForSelector('[data-version]');
  await eventually(() => page.locator('[data-version]').count(), 2);
  const menu = async (at, action) => {
    await page.locator('[data-version]').nth(at).locator('button').click();
    await page.click(`[role=menuitem][data-action=${action}]`);
  };
  await menu(1, 'version-restore');
  await eventually(content, 'first');
  await page.getByRole('button', { name: 'Undo', exact: true }).last().click();
  await eventually(content, 'second, longer', 'and back again');
  await eventually(async () => (await page.locator('[data-version]').count()) >= 3, true, 'nothing is lost on the way');
  await menu(1, 'version-pin');
  await page.waitForSelector('[aria-label="Kept on purpose"]');
}

export async function takesBackFromTheHistory({ open, files, base }) {
  const page = await open();
  const folder = await ownFolder(page, files, base, 'Past');
  const id = await files.file('was.txt', 'x', 'text/plain', folder);
  assert.equal((await files.call('PATCH', `/entries/${id}`, { name: 'is.txt' })).status, 200);
  await page.getByRole('link', { name: 'Activity' }).click();
  const line = page.locator('[data-activity]', { hasText: 'Renamed “was.txt” to “is.txt”' }).first();
  await line.getByRole('button', { name: 'Undo', exact: true }).click();
  await eventually(() => onServer(files, folder), ['was.txt']);
  await page.locator('[data-activity]', { hasText: 'taken back' }).first().waitFor();
}
