// The views of a folder: columns, gallery, groups, chosen columns; and taking back what was done.
import assert from 'node:assert/strict';
import { click, eventually, names, onServer, openFolder, ownFolder, row, selected, settled } from '../steps.mjs';

const inColumn = (page, column) =>
  page.$$eval(`[data-column=${column}] [data-name]`, (rows) => rows.map((one) => one.dataset.name));
const title = (page, wanted) =>
  page.waitForFunction((text) => document.querySelector('nav h1')?.textContent?.trim() === text, wanted);

/** A folder with one in it and files in both. */
async function tree(page, files, base, name) {
  const top = await ownFolder(page, files, base, name);
  const inner = await files.folder('Inner', top);
  await files.file('deep.txt', 'deep', 'text/plain', inner);
  await files.file('one.txt', '1', 'text/plain', top);
  await files.file('two.md', '22', 'text/markdown', top);
  await row(page, 'two.md').waitFor();
  return { top, inner };
}

export async function walksThroughColumns({ open, files, base }) {
  const page = await open();
  const { top, inner } = await tree(page, files, base, 'Columns');
  await page.keyboard.press('Control+3');
  await page.waitForSelector('[data-column=active]');
  await page.keyboard.press('Home');
  await eventually(() => inColumn(page, 'inside'), ['deep.txt'], 'what the selected folder holds');
  await page.keyboard.press('ArrowRight');
  await title(page, 'Inner');
  await eventually(
    () => page.$$eval('[data-column=active] [aria-selected=true]', (rows) => rows.map((one) => one.dataset.name)),
    ['deep.txt'],
  );
  assert.equal(await page.evaluate(() => document.activeElement?.id), 'files', 'the keys stay where they are');
  await page.keyboard.press('ArrowLeft');
  await title(page, 'Columns');
  await eventually(
    () => page.$$eval('[data-column=active] [aria-selected=true]', (rows) => rows.map((one) => one.dataset.name)),
    ['Inner'],
  );
  // A file shows itself, a click in an earlier column goes there, the view stays.
  await page.keyboard.press('ArrowDown');
  await page.waitForSelector('section[aria-label="one.txt"]');
  await page.locator('[data-column=path] [data-name="Columns"]').click();
  await title(page, 'My files');
  await page.waitForSelector('[data-column=active]');
  await eventually(() => inColumn(page, 'inside'), ['Inner', 'one.txt', 'two.md']);
  await page.locator('[data-column=inside] [data-name="one.txt"]').click();
  await title(page, 'Columns');
  // Dragged from column to column, renamed in place.
  await page
    .locator('[data-column=active] [data-name="one.txt"] [data-handle]')
    .dragTo(page.locator('[data-column=active] [data-name="Inner"]'));
  await eventually(() => onServer(files, inner), ['deep.txt', 'one.txt']);
  await page.locator('[data-column=active] [data-name="two.md"]').click();
  await page.keyboard.press('F2');
  await page.locator('[data-column=active] input').fill('three.md');
  await page.keyboard.press('Enter');
  await eventually(() => onServer(files, top), ['Inner', 'three.md']);
  // The folder is found again as it was left; others are as they were.
  await page.reload();
  await page.waitForSelector('[data-column=active] [data-name="three.md"]');
}

export async function browsesAGallery({ open, files, base }) {
  const page = await open();
  await page.goto(`${base}/files/${files.photos}`);
  await row(page, 'Coast 1.png').waitFor();
  await page.keyboard.press('Control+4');
  await page.waitForSelector('section[aria-label="Coast 1.png"] img');
  await page.focus('#files');
  await page.keyboard.press('ArrowRight');
  await page.keyboard.press('ArrowRight');
  await page.waitForSelector('section[aria-label="Coast 3.png"] img');
  assert.deepEqual(await selected(page), ['Coast 3.png']);
  await page.keyboard.press('Space');
  await page.waitForSelector('[role=dialog] img');
  await page.keyboard.press('ArrowRight');
  await page.keyboard.press('Space');
  await page.waitForSelector('section[aria-label="Coast 4.png"]');
  await page.locator('[data-name="Coast 7.png"]').click();
  await page.waitForSelector('section[aria-label="Coast 7.png"]');
  await page.keyboard.press('Control+1');
}

export async function groupsAndRemembersPerFolder({ open, files, base }) {
  const page = await open();
  const { top } = await tree(page, files, base, 'Groups');
  const choose = async (action) => {
    await page.click('[data-arrange]');
    await page.click(`[role=menuitemcheckbox][data-action=${action}]`);
  };
  await files.file('picture.png', Buffer.alloc(9), 'image/png', top);
  await row(page, 'picture.png').waitFor();
  await choose('group-kind');
  await choose('sort-size');
  await choose('column-created');
  await choose('column-kind');
  await eventually(
    () => page.$$eval('[role=row] .font-semibold', (heads) => heads.map((head) => head.textContent)),
    ['Folders', 'Pictures', 'Text'],
  );
  assert.deepEqual(await page.$$eval('[role=columnheader]', (heads) => heads.map((head) => head.textContent.trim())), [
    'Name',
    'Modified',
    'Created',
    'Size',
  ]);
  assert.deepEqual(await names(page), ['Inner', 'picture.png', 'one.txt', 'two.md']);
  // Arrows step over headings, a range goes through them.
  await click(page, 'Inner');
  await page.keyboard.press('Shift+ArrowDown');
  assert.deepEqual(await selected(page), ['Inner', 'picture.png']);
  await page.keyboard.press('Control+2');
  await page.waitForSelector('[role=gridcell][data-name="one.txt"]');
  await click(page, 'one.txt');
  await page.keyboard.press('ArrowUp');
  assert.deepEqual(await selected(page), ['picture.png']);
  await page.keyboard.press('Control+1');
  await openFolder(page, 'Inner');
  await choose('group-none');
  await choose('sort-name');
  await page.goBack();
  await eventually(
    () => page.$$eval('[role=row] .font-semibold', (heads) => heads.length),
    3,
    'the first folder is as it was',
  );
  await choose('group-none');
}

export async function takesBackAndDoesAgain({ open, files, base, network }) {
  const page = await open();
  const { top, inner } = await tree(page, files, base, 'History');
  await click(page, 'one.txt');
  await page.keyboard.press('F2');
  await page.locator('[role=grid] input').fill('uno.txt');
  await page.keyboard.press('Enter');
  await row(page, 'uno.txt').waitFor();
  await page.locator('[data-name="uno.txt"] [data-handle]').dragTo(row(page, 'Inner'));
  await eventually(() => names(page), ['Inner', 'two.md']);
  await click(page, 'two.md');
  await page.keyboard.press('Control+d');
  await row(page, 'two copy.md').waitFor();
  await page.keyboard.press('Alt+n');
  await page.locator('[role=grid] input').fill('Made');
  await page.keyboard.press('Enter');
  await eventually(() => onServer(files, top), ['Inner', 'Made', 'two copy.md', 'two.md']);
  await page.focus('#files');
  for (let count = 0; count < 5; count += 1) await page.keyboard.press('Control+z');
  await eventually(() => names(page), ['Inner', 'one.txt', 'two.md']);
  await eventually(() => onServer(files, top), ['Inner', 'one.txt', 'two.md']);
  for (let count = 0; count < 5; count += 1) await page.keyboard.press('Control+Shift+z');
  await eventually(() => onServer(files, top), ['Inner', 'Made', 'two copy.md', 'two.md'], 'all is done again');
  await eventually(() => onServer(files, inner), ['deep.txt', 'uno.txt']);
  // Without a connection too, and by the word in the message.
  network.cut = true;
  await page.keyboard.press('Control+z');
  await page.getByRole('button', { name: 'Redo', exact: true }).click();
  await page.keyboard.press('Control+z');
  network.cut = false;
  // All three are sent, one after the other: the name is for a moment what it was before.
  await settled(page);
  await eventually(
    () => onServer(files, top),
    ['Inner', 'New folder', 'two copy.md', 'two.md'],
    'taken back while offline',
    20_000,
  );
  // What somebody has put something into is not taken away.
  const made = (await (await files.call('GET', `/folders/${top}/children?limit=100`)).json()).items.find(
    (item) => item.name === 'New folder',
  );
  await files.file('theirs.txt', 'x', 'text/plain', made.id);
  await openFolder(page, 'New folder');
  await row(page, 'theirs.txt').waitFor();
  await page.keyboard.press('Control+z');
  await page.waitForSelector('text=is not empty any more');
  assert.deepEqual(await onServer(files, made.id), ['theirs.txt']);
}
