// What a file was before, and what was done.
import AxeBuilder from '@axe-core/playwright';
import assert from 'node:assert/strict';
import { click, eventually, onServer, ownFolder, person, row, signIn } from '../steps.mjs';

async function noBarriers(page, where) {
  const { violations } = await new AxeBuilder({ page })
    .withTags(['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'])
    .analyze();
  assert.deepEqual(
    violations.map((one) => `${where}: ${one.id}: ${one.nodes.map((node) => node.target.join(' ')).join(' | ')}`),
    [],
  );
}

/** Opens the menu of one of the versions, the newest being the first, and takes something from it. */
async function fromMenu(page, at, action) {
  await page.locator('[data-version]').nth(at).locator('button').last().click();
  await page.click(`[role=menuitem][data-action=${action}]`);
}

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
  await fromMenu(page, 1, 'version-restore');
  await eventually(content, 'first');
  await page.getByRole('button', { name: 'Undo', exact: true }).last().click();
  await eventually(content, 'second, longer', 'and back again');
  await eventually(async () => (await page.locator('[data-version]').count()) >= 3, true, 'nothing is lost on the way');
  await fromMenu(page, 1, 'version-pin');
  await page.waitForSelector('[aria-label="Kept on purpose"]');

  // Another version comes while a name is being written, which stays.
  const before = await page.locator('[data-version]').count();
  await fromMenu(page, 1, 'version-name');
  await page.fill('input[name=version-name]', 'Half a na');
  assert.equal((await put('third, from elsewhere')).status, 200);
  await eventually(() => page.locator('[data-version]').count(), before + 1, 'the new version is listed');
  assert.equal(await page.locator('input[name=version-name]').inputValue(), 'Half a na');
}

export async function looksAtNamesAndDeletesVersions({ open, files, base, apiBase, out }) {
  const page = await open();
  const folder = await ownFolder(page, files, base, 'Drafts by number');
  const id = await files.file('draft.txt', 'as it was at first', 'text/plain', folder);
  for (const text of ['second draft', 'third draft'])
    await fetch(`${apiBase}/api/v1/files/${id}`, {
      method: 'PUT',
      headers: { ...files.auth, 'content-type': 'text/plain' },
      body: text,
    });
  const versions = async () => (await (await files.call('GET', `/files/${id}/versions?limit=20`)).json()).items;
  await row(page, 'draft.txt').waitFor();
  await click(page, 'draft.txt');
  await eventually(() => page.locator('[data-version]').count(), 3);
  const labels = await page.$$eval('[data-version] [aria-label*=" of "]', (all) =>
    all.map((one) => one.getAttribute('aria-label')),
  );
  assert.match(labels.join('\n'), /^(?:.* version of .*20\d\d.*\n?){3}$/, 'each menu says of which version it is');

  // The bytes of that time.
  await page.locator('[data-version]').nth(2).locator('button').first().click();
  await page.locator('[data-version-look]', { hasText: 'as it was at first' }).waitFor();
  await noBarriers(page, 'a look at a version');
  await page.screenshot({ path: `${out}version-look.png` });
  const [saved] = await Promise.all([page.waitForEvent('download'), page.click('[role=dialog] >> text=Download')]);
  assert.equal(saved.suggestedFilename(), 'draft.txt');
  await page.keyboard.press('Escape');
  await page.waitForSelector('[data-version-look]', { state: 'detached' });

  await fromMenu(page, 2, 'version-name');
  await page.fill('input[name=version-name]', 'As sent to the printer');
  await noBarriers(page, 'the name of a version');
  await page.keyboard.press('Enter');
  await page.locator('[data-version]').nth(2).getByText('As sent to the printer').waitFor();
  assert.equal((await versions())[2].name, 'As sent to the printer');

  // What cannot be brought back is asked about, and nothing happens to who says no.
  await fromMenu(page, 1, 'version-delete');
  const question = page.getByRole('dialog', { name: 'Delete the version of' });
  await question.waitFor();
  await noBarriers(page, 'the question');
  await page.screenshot({ path: `${out}version-delete.png` });
  await question.getByRole('button', { name: 'Cancel' }).click();
  assert.equal((await versions()).length, 3);
  await fromMenu(page, 1, 'version-delete');
  await question.getByRole('button', { name: 'Delete for good' }).click();
  await eventually(() => page.locator('[data-version]').count(), 2);
  assert.deepEqual(
    (await versions()).map((one) => one.name),
    [null, 'As sent to the printer'],
  );
  await page.screenshot({ path: `${out}version-list.png` });

  // Who may only view looks and downloads.
  const viewer = await person(apiBase, 'veronica', 'Veronica Viewer');
  const grant = { subject: { kind: 'user', id: viewer.id }, role: 'viewer' };
  assert.ok((await files.call('PUT', `/entries/${folder}/grants`, grant)).ok);
  const hers = await open({ signedIn: false });
  await signIn(hers, 'veronica', 'long-enough-1');
  await hers.goto(`${base}/files/${folder}`);
  await click(hers, 'draft.txt');
  await hers.locator('[data-version]').nth(1).locator('button').last().click();
  await hers.waitForSelector('[role=menuitem][data-action=version-look]');
  assert.deepEqual(
    await hers.$$eval('[role=menuitem][data-action^=version]', (all) => all.map((one) => one.dataset.action)),
    ['version-look', 'version-download'],
  );

  // And the owner sees her among those who have access.
  await page.reload();
  await click(page, 'draft.txt');
  await page.locator('[data-access="Veronica Viewer"]', { hasText: 'Can view' }).waitFor();
  await page.click('[data-sharing] >> text=Share…');
  await page.getByRole('dialog', { name: 'Share “draft.txt”' }).waitFor();
}

export async function showsWhereThePartsAre({ open, files, base, out }) {
  const page = await open();
  const folder = await ownFolder(page, files, base, 'Parted');
  await files.file('large.bin', Buffer.alloc(2_400_000, 5), 'application/octet-stream', folder);
  await row(page, 'large.bin').waitFor();
  await click(page, 'large.bin');
  const parts = page.locator('[data-parts]');
  await parts.getByText(/All \d+ parts are in place/).waitFor();
  const shares = await parts.locator('[data-server-share]').allInnerTexts();
  assert.ok(shares.length > 0);
  for (const text of shares)
    assert.match(text, /(?:Data|Parity|parts?), .*(?:KB|MB)[\s\S]*read back/, 'in plain sight');
  await parts.scrollIntoViewIfNeeded();
  await noBarriers(page, 'parts');
  await page.screenshot({ path: `${out}parts.png` });
  await page.locator('[data-sharing]', { hasText: 'Only you have access.' }).waitFor();
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
