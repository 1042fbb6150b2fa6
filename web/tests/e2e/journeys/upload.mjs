// Bringing files in.
import assert from 'node:assert/strict';
import { dropFiles, eventually, onServer, ownFolder, row } from '../steps.mjs';

export async function uploadsAsksAndResumes({ open, files, base, network }) {
  const page = await open();
  const folder = await ownFolder(page, files, base, 'Upload here');
  await files.file('there.txt', 'old', 'text/plain', folder);
  await files.file('also.txt', 'old', 'text/plain', folder);
  await row(page, 'there.txt').waitFor();
  await dropFiles(page, 'main', [
    { name: 'there.txt', text: 'new' },
    { name: 'also.txt', text: 'new' },
    { name: 'fresh.txt', text: 'hello' },
  ]);
  // The question about one never holds up the others.
  await page.waitForSelector('[data-choice=rename]');
  await eventually(async () => (await onServer(files, folder)).includes('fresh.txt'), true);
  await page.click('text=Do the same for the other 1');
  await page.click('[data-choice=rename]');
  await eventually(() => onServer(files, folder), ['also (2).txt', 'also.txt', 'fresh.txt', 'there (2).txt', 'there.txt']);

  // A large file goes on where it was after the network was away.
  const size = 40 * 1024 * 1024;
  await dropFiles(page, 'main', [{ name: 'large.bin', size }]);
  await page.waitForSelector('[data-upload="large.bin"][data-state=sending]');
  network.cut = true;
  await page.waitForTimeout(1_500);
  network.cut = false;
  await page.waitForSelector('[data-upload="large.bin"][data-state=done]', { timeout: 60_000 });
  const entry = (await (await files.call('GET', `/folders/${folder}/children?limit=100`)).json()).items.find((item) => item.name === 'large.bin');
  assert.equal(entry.size, size);
  await page.waitForSelector('[role=grid] [data-name="large.bin"]');
}
