// Folders and selections taken along as one archive.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { click, ownFolder, row, settled } from '../steps.mjs';

/** The names in a zip, from its directory at the end. */
function zipNames(bytes) {
  const found = [];
  for (
    let at = bytes.indexOf('PK\x01\x02', 0, 'latin1');
    at >= 0;
    at = bytes.indexOf('PK\x01\x02', at + 46, 'latin1')
  ) {
    const length = bytes.readUInt16LE(at + 28);
    found.push(bytes.toString('utf8', at + 46, at + 46 + length));
  }
  return found.sort();
}

export async function downloadsFoldersAndSelectionsAsOneArchive({ open, files, base, network }) {
  const page = await open();
  const folder = await ownFolder(page, files, base, 'To take along');
  const inner = await files.folder('Отчёты', folder);
  await files.file('осень.txt', 'words', 'text/plain', inner);
  await files.file('plan.txt', 'plan', 'text/plain', folder);
  await files.file('notes.txt', 'notes', 'text/plain', folder);
  await row(page, 'notes.txt').waitFor();
  await page.waitForFunction(() => navigator.serviceWorker.controller !== null);
  await settled(page);
  const taken = async (act) => {
    const [it] = await Promise.all([page.waitForEvent('download'), act()]);
    return { name: it.suggestedFilename(), bytes: readFileSync(await it.path()) };
  };
  const button = page.locator('[role=toolbar]').getByRole('button', { name: 'Download' });
  await click(page, 'Отчёты');
  const whole = await taken(() => button.click());
  assert.equal(whole.name, 'Отчёты.zip');
  assert.deepEqual(zipNames(whole.bytes), ['Отчёты/', 'Отчёты/осень.txt']);
  await row(page, 'plan.txt')
    .locator('[data-handle]')
    .first()
    .click({ modifiers: ['Control'] });
  const some = await taken(() => button.click());
  assert.deepEqual(zipNames(some.bytes), ['plan.txt', 'Отчёты/', 'Отчёты/осень.txt']);
  // One file is itself.
  await click(page, 'notes.txt');
  const one = await taken(() => button.click());
  assert.equal(one.name, 'notes.txt');
  assert.equal(one.bytes.toString(), 'notes');

  // What is in the trash can be taken along without bringing it back.
  await click(page, 'Отчёты');
  await page.keyboard.press('Delete');
  await row(page, 'Отчёты').waitFor({ state: 'detached' });
  await page.goto(`${base}/trash`);
  const gone = await taken(() =>
    page.locator('[data-trashed="Отчёты"]').getByRole('button', { name: 'Download' }).click(),
  );
  assert.deepEqual(zipNames(gone.bytes), ['Отчёты/', 'Отчёты/осень.txt']);

  // Without a connection it is said, and no empty archive comes.
  await page.goto(`${base}/files/${folder}`);
  await row(page, 'plan.txt').waitFor();
  network.cut = true;
  await page.focus('#files');
  await page.keyboard.press('Control+a');
  await button.click();
  await page.getByText('This is not on this device. Downloading it needs a connection.', { exact: true }).waitFor();
}
