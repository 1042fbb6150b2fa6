// Sharing by link: making, copying, changing, watching and revoking one.
import assert from 'node:assert/strict';
import { click, eventually, ownFolder, row } from '../steps.mjs';

const dialog = (page) => page.locator('[role=dialog]');
const linksOf = async (files, entry) => (await (await files.call('GET', `/entries/${entry}/links`)).json()).items;

async function linkMenu(page, at, action) {
  await dialog(page)
    .locator('[data-link]')
    .nth(at)
    .getByRole('button', { name: /^Actions for/ })
    .click();
  await page.click(`[role=menuitem][data-action=${action}]`);
}

export async function sharesAFileByLink({ open, files, base }) {
  const page = await open();
  await page.context().grantPermissions(['clipboard-read', 'clipboard-write'], { origin: base });
  const folder = await ownFolder(page, files, base, 'To share');
  const report = await files.file('report.txt', 'the tide', 'text/plain', folder);
  await row(page, 'report.txt').waitFor();
  await click(page, 'report.txt');
  await page.keyboard.press('Alt+s');
  await dialog(page).getByText('No links yet').waitFor();
  await page.click('[data-new-link]');
  // A file takes no files.
  assert.equal(await dialog(page).getByRole('radio', { name: 'Drop box' }).count(), 0);
  await dialog(page).getByRole('radio', { name: 'View only' }).check();
  await page.fill('input[name=link-name]', 'For the printer');
  await dialog(page).getByLabel('Note to visitors').fill('Twice, in colour.');
  await dialog(page).getByLabel('Password', { exact: true }).check();
  await page.fill('input[name=link-password]', 'short');
  await page.click('[data-save-link]');
  await page.waitForSelector('input[name=link-password][aria-invalid=true]');
  await page.fill('input[name=link-password]', 'long-enough');
  await dialog(page).locator('select').selectOption('week');
  await dialog(page).getByLabel('Limit the downloads').check();
  await page.fill('input[name=link-limit]', '3');
  await page.click('[data-save-link]');
  await dialog(page).locator('[data-link]').waitFor();
  const [made] = await linksOf(files, report);
  assert.deepEqual(
    [made.mode, made.name, made.note, made.has_password, made.download_limit],
    ['view', 'For the printer', 'Twice, in colour.', true, 3],
  );
  assert.ok(Math.abs(new Date(made.expires_at) - Date.now() - 7 * 86_400_000) < 120_000);

  // The focus is on the button to copy: one key, and the address is there to be pasted.
  await page.keyboard.press('Enter');
  await eventually(
    () => page.evaluate(() => navigator.clipboard.readText()),
    `${base}/s/${made.token}`,
    'the address is copied',
  );
  await linkMenu(page, 0, 'link-qr');
  await dialog(page).getByRole('img', { name: 'QR code' }).waitFor();

  // Changing one rule leaves the others as they are.
  await linkMenu(page, 0, 'link-edit');
  assert.equal(await page.locator('input[name=link-password]').inputValue(), '');
  await dialog(page).getByLabel('Limit the downloads').uncheck();
  await page.click('[data-save-link]');
  await dialog(page).locator('[data-link]').waitFor();
  const [changed] = await linksOf(files, report);
  assert.deepEqual(
    [changed.download_limit, changed.has_password, changed.expires_at, changed.mode],
    [null, true, made.expires_at, 'view'],
  );

  // What visitors do is told.
  const visit = `${base}/api/v1/public/links/${made.token}`;
  const unlocked = await fetch(`${visit}/unlock`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ password: 'long-enough', visitor_name: 'Grace' }),
  });
  const { session_token: session } = await unlocked.json();
  assert.equal((await fetch(`${visit}/files/${report}`, { headers: { 'link-session': session } })).status, 200);
  await linkMenu(page, 0, 'link-events');
  await dialog(page).getByText('Grace downloaded “report.txt”').waitFor();

  await page.keyboard.press('Escape');
  await row(page, 'report.txt').getByRole('img', { name: 'Shared by link' }).waitFor();
  await page.locator('nav').getByText('Shared by link').click();
  const line = page.locator(`[data-link="${made.id}"]`);
  await line.getByText('report.txt').waitFor();
  await line.getByRole('button', { name: 'report.txt' }).click();
  await dialog(page).getByText('Share “report.txt”').waitFor();
  await linkMenu(page, 0, 'link-revoke');
  await page.click('[data-revoke]');
  await dialog(page).getByText('No links yet').waitFor();
  assert.equal((await fetch(visit)).status, 404);
  await page.keyboard.press('Escape');
  await line.waitFor({ state: 'detached' });
}

export async function offersDropBoxesForFoldersAndSaysWhenItIsOffline({ open, files, base, network }) {
  const page = await open();
  const folder = await ownFolder(page, files, base, 'Letters');
  await page.waitForFunction(() => navigator.serviceWorker.controller !== null);
  // With nothing selected it is the open folder that is shared.
  await page.keyboard.press('Alt+s');
  await dialog(page).getByText('Share “Letters”').waitFor();
  await page.click('[data-new-link]');
  await dialog(page).getByRole('radio', { name: 'Drop box' }).check();
  assert.equal(await dialog(page).getByLabel('Limit the downloads').count(), 0);
  await page.click('[data-save-link]');
  await dialog(page).locator('[data-link]').getByText('Drop box').waitFor();
  const [made] = await linksOf(files, folder);
  assert.equal(made.mode, 'upload');
  // Another one may be revoked elsewhere: the dialog asks anew, and keeps what it knows when there is no answer.
  await page.keyboard.press('Escape');
  network.cut = true;
  await page.keyboard.press('Alt+s');
  await dialog(page).getByText('Links need a connection.').waitFor();
  assert.equal(await dialog(page).locator('[data-link]').count(), 1);
  await page.keyboard.press('Escape');
  network.cut = false;
  assert.equal((await files.call('DELETE', `/links/${made.id}`)).status, 204);
  await page.keyboard.press('Alt+s');
  await dialog(page).getByText('No links yet').waitFor();
}
