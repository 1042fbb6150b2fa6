// Working with files as on a desktop.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import {
  click,
  eventually,
  names,
  onServer,
  openFolder,
  ownFolder,
  putMany,
  row,
  selected,
  settled,
  signIn,
} from '../steps.mjs';

export async function selectsAsOnADesktop({ open }) {
  const page = await open();
  await click(page, 'backup.tar.gz');
  await click(page, 'main.rs', { modifiers: ['Shift'] });
  assert.deepEqual(await selected(page), ['backup.tar.gz', 'budget 2026.csv', 'Harbour at dawn.png', 'main.rs']);
  await click(page, 'budget 2026.csv', { modifiers: ['Control'] });
  assert.equal((await selected(page)).length, 3);
  await page.keyboard.press('Escape');
  assert.equal((await selected(page)).length, 0);
  // Typing goes to a name, arrows with Shift extend.
  await page.keyboard.type('qu');
  assert.deepEqual(await selected(page), ['Quarterly report.pdf']);
  await page.keyboard.press('Shift+ArrowDown');
  assert.deepEqual(await selected(page), ['Quarterly report.pdf', 'Reading the tide.md']);
  await page.keyboard.press('Control+a');
  assert.equal((await selected(page)).length, (await names(page)).length);
  // The rubber band begins beside a name.
  await page.keyboard.press('Escape');
  const from = await row(page, 'Harbour at dawn.png').boundingBox();
  const to = await row(page, 'Quarterly report.pdf').boundingBox();
  await page.mouse.move(from.x + from.width - 30, from.y + 10);
  await page.mouse.down();
  await page.mouse.move(to.x + to.width - 200, to.y + 8, { steps: 6 });
  await page.mouse.up();
  assert.deepEqual(await selected(page), ['Harbour at dawn.png', 'main.rs', 'Quarterly report.pdf']);
}

export async function makesRenamesMovesAndTakesBack({ open, files, base }) {
  const page = await open();
  const folder = await ownFolder(page, files, base, 'Rename here');
  await page.keyboard.press('Alt+n');
  await page.waitForSelector('[role=grid] input');
  await page.keyboard.type('Trip');
  await page.keyboard.press('Enter');
  await eventually(() => onServer(files, folder), ['Trip']);

  await files.file('note.final.txt', 'x', 'text/plain', folder);
  await row(page, 'note.final.txt').waitFor();
  await click(page, 'note.final.txt');
  await page.keyboard.press('F2');
  const input = page.locator('[role=grid] input');
  assert.deepEqual(
    await input.evaluate((field) => [field.selectionStart, field.selectionEnd]),
    [0, 'note.final'.length],
    'only the stem is selected',
  );
  await input.fill('Trip');
  await page.waitForSelector('text=This name is taken here.');
  await input.fill('story.txt');
  await page.keyboard.press('Enter');
  await eventually(() => onServer(files, folder), ['Trip', 'story.txt']);
  await page.keyboard.press('Control+z');
  await row(page, 'note.final.txt').waitFor();

  // Cut and paste, then take it back.
  await click(page, 'note.final.txt');
  await page.keyboard.press('Control+x');
  await openFolder(page, 'Trip');
  await page.keyboard.press('Control+v');
  await row(page, 'note.final.txt').waitFor();
  await page.keyboard.press('Control+z');
  await eventually(() => names(page), [], 'the move is taken back');
  await page.keyboard.press('Alt+ArrowUp');
  await row(page, 'note.final.txt').waitFor();
  await click(page, 'note.final.txt');
  await page.keyboard.press('Control+d');
  await row(page, 'note.final copy.txt').waitFor();
  await eventually(() => onServer(files, folder), ['Trip', 'note.final copy.txt', 'note.final.txt']);
  await click(page, 'note.final copy.txt');
  await page.keyboard.press('Delete');
  await settled(page);
  await eventually(() => onServer(files, folder), ['Trip', 'note.final.txt']);
}

export async function renamesFromBothMenus({ open, files, base }) {
  const page = await open();
  const folder = await ownFolder(page, files, base, 'By menu');
  await files.file('one.txt', 'x', 'text/plain', folder);
  await row(page, 'one.txt').waitFor();
  const input = page.locator('[role=grid] input');
  await click(page, 'one.txt', { button: 'right' });
  await page.click('[role=menuitem][data-action=rename]');
  await page.waitForTimeout(300);
  await input.fill('two.txt');
  await page.keyboard.press('Enter');
  await row(page, 'two.txt').waitFor();
  await page.locator('[role=toolbar] [aria-haspopup=menu]').click();
  await page.click('[role=menuitem][data-action=rename]');
  await page.waitForTimeout(300);
  await input.fill('three.txt');
  await page.keyboard.press('Enter');
  await eventually(() => onServer(files, folder), ['three.txt']);
}

export async function dragsIntoAFolder({ open, files, base }) {
  const page = await open();
  const folder = await ownFolder(page, files, base, 'Drag here');
  const inside = await files.folder('Target', folder);
  await files.file('a.txt', 'a', 'text/plain', folder);
  await files.file('b.txt', 'b', 'text/plain', folder);
  await row(page, 'b.txt').waitFor();
  await click(page, 'a.txt');
  await click(page, 'b.txt', { modifiers: ['Shift'] });
  await row(page, 'a.txt').locator('[data-handle]').first().dragTo(row(page, 'Target'));
  await eventually(() => names(page), ['Target']);
  await eventually(() => onServer(files, inside), ['a.txt', 'b.txt']);
  // A folder stays out of itself, also through the tree.
  await openFolder(page, 'Target');
  await row(page, 'a.txt')
    .locator('[data-handle]')
    .first()
    .dragTo(page.locator('nav').getByRole('link', { name: 'Drag here' }));
  await eventually(() => names(page), ['b.txt']);
}

export async function dragsOutToTheDesktop({ open, files, base }) {
  const page = await open();
  const folder = await ownFolder(page, files, base, 'Drag out');
  await files.file('a.txt', 'first', 'text/plain', folder);
  await files.file('b.txt', 'second', 'text/plain', folder);
  await row(page, 'b.txt').waitFor();
  // The desktop is not there: what it would be told is read as the drag begins, and fetched as it would fetch it.
  await page.evaluate(() =>
    addEventListener('dragstart', (event) => (window.told = event.dataTransfer.getData('DownloadURL'))),
  );
  const drag = async (name) => {
    const box = await row(page, name).locator('[data-handle]').first().boundingBox();
    const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
    await page.mouse.move(x, y);
    const asked = page.waitForResponse((response) => response.url().endsWith('/api/v1/downloads'));
    await page.mouse.down();
    await (await asked).finished();
    await page.mouse.move(x + 30, y + 200, { steps: 5 });
    await page.waitForFunction(() => window.told);
    await page.keyboard.press('Escape');
    await page.mouse.up();
    return page.evaluate(() => [window.told, (window.told = '')][0]);
  };
  const one = await drag('a.txt');
  assert.match(one, /^text\/plain:a\.txt:http/);
  assert.equal(await (await fetch(one.slice('text/plain:a.txt:'.length))).text(), 'first');
  await click(page, 'a.txt');
  await click(page, 'b.txt', { modifiers: ['Shift'] });
  const both = await drag('b.txt');
  assert.match(both, /^application\/zip:files\.zip:http/);
  const bytes = Buffer.from(await (await fetch(both.slice('application/zip:files.zip:'.length))).arrayBuffer());
  assert.equal(bytes.subarray(0, 2).toString(), 'PK');
  assert.ok(bytes.includes('first') && bytes.includes('second'));
  await eventually(() => names(page), ['a.txt', 'b.txt']);
}

export async function downloadsThroughTheServiceWorker({ open }) {
  const page = await open();
  await page.waitForFunction(() => navigator.serviceWorker.controller !== null);
  await click(page, 'Quarterly report.pdf');
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    page.click('[role=toolbar] [aria-label=Download]'),
  ]);
  assert.equal(download.suggestedFilename(), 'Quarterly report.pdf');
  assert.equal(
    readFileSync(await download.path())
      .subarray(0, 5)
      .toString(),
    '%PDF-',
  );
}

export async function looksInsideEveryKind({ open }) {
  const page = await open();
  await page.waitForFunction(() => navigator.serviceWorker.controller !== null);
  const look = async (name, sign) => {
    await click(page, name);
    await page.keyboard.press('Space');
    await page.waitForSelector(sign);
  };
  await look('Reading the tide.md', '[role=dialog] .markdown h1');
  assert.equal(await page.title(), 'My files · Holdfast', 'nothing of a file may run');
  await page.keyboard.press('ArrowDown');
  await page.waitForSelector('[role=dialog] input[type=range]');
  await page.waitForFunction(() => document.querySelector('[role=dialog] video')?.duration > 0.9);
  await page.keyboard.press('Escape');
  await page.waitForSelector('[role=dialog]', { state: 'detached' });
  assert.deepEqual(await selected(page), ['tone.wav']);
  await look('main.rs', '[role=dialog] .hljs-keyword');
  await page.keyboard.press('Escape');
  await look('Harbour at dawn.png', '[role=dialog] img');
  await page.waitForFunction(() => document.querySelector('[role=dialog] img')?.naturalWidth === 1200);
  await page.keyboard.press('Escape');
  await look('Quarterly report.pdf', '[role=dialog] canvas');
  await page.waitForFunction(() => document.querySelector('[role=dialog] canvas')?.width > 400);
  await page.keyboard.press('Escape');
}

export async function scrollsAHugeFolderWithFewRows({ open, files, base }) {
  const page = await open();
  const folder = await files.folder('Huge');
  const total = Number(process.env.HOLDFAST_E2E_ROWS ?? 1_500);
  for (let at = 0; at < total; at += 50) {
    await Promise.all(Array.from({ length: 50 }, (_, offset) => files.folder(`Entry ${at + offset}`, folder)));
  }
  await page.goto(`${base}/files/${folder}`);
  await page.waitForFunction(
    (count) => document.querySelector('#files')?.getAttribute('aria-rowcount') === String(count + 1),
    total,
    { timeout: 30_000 },
  );
  const rows = () => page.$$eval('[role=row]', (list) => list.length);
  assert.ok((await rows()) < 120, `${await rows()} rows in the page`);
  await page.focus('#files');
  await page.keyboard.press('End');
  await row(page, `Entry ${total - 1}`).waitFor();
  assert.ok((await rows()) < 120);
  await page.keyboard.press('Control+2');
  await page.waitForFunction(() => document.querySelector('#files')?.hasAttribute('aria-colcount'));
  assert.ok((await page.$$eval('[role=gridcell]', (list) => list.length)) < 200);
  await page.keyboard.press('Control+1');
}

/** What a server would need many minutes to be filled with: the list itself cares for what this browser knows. */
export async function scrollsAHundredThousandEntries({ open, files, base }) {
  const total = 100_000;
  const page = await open();
  const folder = await ownFolder(page, files, base, 'A hundred thousand');
  await page.waitForSelector('[data-empty]');
  await putMany(page, total, { parent: folder, space: files.space });
  await page.goto(`${base}/files/${folder}`);
  await page.waitForFunction(
    (count) => document.querySelector('#files')?.getAttribute('aria-rowcount') === String(count + 1),
    total,
    { timeout: 60_000 },
  );
  const rows = () => page.$$eval('[role=row]', (list) => list.length);
  assert.ok((await rows()) < 120, `${await rows()} rows in the page`);
  // Through all of it in steps, as by the scroll bar: the rows there are stay few, and there are some at each place.
  const seen = await page.evaluate(async () => {
    const list = document.querySelector('#files');
    const counts = [];
    for (let step = 0; step <= 20; step += 1) {
      list.scrollTop = ((list.scrollHeight - list.clientHeight) * step) / 20;
      await new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));
      counts.push(list.querySelectorAll('[data-name]').length);
    }
    return counts;
  });
  assert.ok(
    seen.every((count) => count > 10 && count < 120),
    `${seen}`,
  );
  await page.focus('#files');
  await page.keyboard.press('Home');
  await page.keyboard.press('End');
  await row(page, 'Съёмка 99999 Протокол.pdf')
    .or(page.locator('[role=grid] [aria-rowindex="100001"]'))
    .first()
    .waitFor();
  assert.ok((await rows()) < 120);
}

export async function runsEverythingFromThePalette({ open }) {
  const page = await open();
  await page.keyboard.press('Control+k');
  await page.keyboard.type('scan 10');
  await page.waitForSelector('[role=option]:has-text("Scan 10.pdf")');
  await page.keyboard.press('Enter');
  await eventually(() => selected(page), ['Scan 10.pdf']);
  await page.keyboard.press('Control+k');
  await page.keyboard.type('light and dark');
  await page.keyboard.press('Enter');
  await page.waitForSelector('html[data-theme=dark]');
}

/** What is typed for the palette before it has come is not lost, and does nothing to the files below. */
export async function typesAheadOfThePalette({ open }) {
  const page = await open({ signedIn: false });
  let release;
  const held = new Promise((resolve) => (release = resolve));
  await page.route(/CommandPalette-[^/]*\.js$/, (route) => held.then(() => route.continue()));
  await signIn(page);
  await row(page, 'main.rs').waitFor();
  await click(page, 'backup.tar.gz');
  await page.keyboard.press('Control+k');
  await page.keyboard.type('reading tied');
  for (const key of ['Backspace', 'Backspace', 'd', 'e']) await page.keyboard.press(key);
  assert.equal(await page.locator('[role=combobox]').count(), 0, 'the palette is still on its way');
  release();
  await page.waitForSelector('[role=combobox]');
  await page.keyboard.type('.md');
  await eventually(() => page.locator('[role=combobox]').inputValue(), 'reading tide.md', 'all of it, in order');
  await page.keyboard.press('Escape');
  await page.waitForSelector('[role=combobox]', { state: 'detached' });
  assert.deepEqual(await selected(page), ['backup.tar.gz']);
}
