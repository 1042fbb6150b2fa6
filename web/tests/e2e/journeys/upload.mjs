// Bringing files in.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { dropFiles, dropTrees, eventually, isWritten, onServer, openFolder, ownFolder, row } from '../steps.mjs';

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
  await eventually(
    () => onServer(files, folder),
    ['also (2).txt', 'also.txt', 'fresh.txt', 'there (2).txt', 'there.txt'],
  );

  // A large file goes on where it was after the network was away.
  const size = 40 * 1024 * 1024;
  await dropFiles(page, 'main', [{ name: 'large.bin', size }]);
  await page.waitForSelector('[data-upload="large.bin"][data-state=sending]');
  network.cut = true;
  await page.waitForTimeout(1_500);
  network.cut = false;
  await page.waitForSelector('[data-upload="large.bin"][data-state=done]', { timeout: 60_000 });
  const entry = (await (await files.call('GET', `/folders/${folder}/children?limit=100`)).json()).items.find(
    (item) => item.name === 'large.bin',
  );
  assert.equal(entry.size, size);
  await page.waitForSelector('[role=grid] [data-name="large.bin"]');
}

const sizeOf = async (files, folder, name) =>
  (await (await files.call('GET', `/folders/${folder}/children?limit=100`)).json()).items.find(
    (item) => item.name === name,
  )?.size;
const megabytes = (count, value) => Buffer.alloc(count * 1024 * 1024, value);

/** The page goes away in the middle of it; small files go on by themselves, a large one when it is picked again. */
export async function uploadsSurviveAReload({ open, files, base, network }) {
  const page = await open();
  const folder = await ownFolder(page, files, base, 'Reload');
  await page.waitForFunction(() => navigator.serviceWorker.controller !== null);
  const size = 24 * 1024 * 1024;
  network.bytesPerSecond = 6_000_000;
  await dropFiles(page, 'main', [
    { name: 'large.bin', size },
    { name: 'small.txt', text: 'small' },
  ]);
  await page.waitForSelector('[data-upload="large.bin"][data-state=sending]');
  await page.waitForFunction(
    () =>
      Number(document.querySelector('[data-upload="large.bin"] [role=progressbar]')?.getAttribute('aria-valuenow')) >
      10,
  );
  network.cut = true;
  await page.reload();
  await page.waitForSelector('[data-upload="large.bin"][data-state=lost]');
  network.cut = false;
  network.bytesPerSecond = null;
  await eventually(
    async () => (await onServer(files, folder)).includes('small.txt'),
    true,
    'the small file goes on by itself',
    20_000,
  );

  // From the disk, as a person does: bytes handed over by the test would be built up one by one in the page, which takes
  // longer than a busy machine is given.
  const picked = mkdtempSync(join(tmpdir(), 'holdfast-picked-'));
  const path = join(picked, 'large.bin');
  const choose = async (bytes) => {
    writeFileSync(path, bytes);
    const [chooser] = await Promise.all([
      page.waitForEvent('filechooser'),
      page.click('[data-upload="large.bin"] button:has-text("Choose file")'),
    ]);
    await chooser.setFiles(path);
  };
  await choose(megabytes(24, 66));
  await page.waitForSelector('text=That is another file');
  const offsets = [];
  page.on(
    'request',
    (request) => request.method() === 'PATCH' && offsets.push(Number(request.headers()['upload-offset'])),
  );
  await choose(megabytes(24, 65));
  await page.waitForSelector('[data-upload="large.bin"][data-state=done]', { timeout: 60_000 });
  assert.equal(await sizeOf(files, folder, 'large.bin'), size);
  assert.ok(offsets[0] > 0, `it goes on where the server is, not from ${offsets[0]}`);
  // Nothing is left to take up.
  await page.reload();
  await row(page, 'large.bin').waitFor();
  await page.waitForTimeout(1_200);
  assert.equal(await page.locator('[data-upload]').count(), 0);
  rmSync(picked, { recursive: true });
}

/** Where the browser gives a handle, a large file goes on without a question, in the tab that is left. */
export async function uploadsGoOnThroughAHandle({ open, files, base, network }) {
  const page = await open();
  const folder = await ownFolder(page, files, base, 'Handle');
  await page.waitForFunction(() => navigator.serviceWorker.controller !== null);
  await page.evaluate(async () => {
    const root = await navigator.storage.getDirectory();
    const handle = await root.getFileHandle('film.bin', { create: true });
    const writer = await handle.createWritable();
    await writer.write(new Uint8Array(24 * 1024 * 1024).fill(7));
    await writer.close();
    // The browser's own window cannot be answered by a test; the handle it would give is a real one.
    globalThis.showOpenFilePicker = () => Promise.resolve([handle]);
  });
  network.bytesPerSecond = 6_000_000;
  await page.keyboard.press('Alt+u');
  await page.waitForFunction(
    () =>
      Number(document.querySelector('[data-upload="film.bin"] [role=progressbar]')?.getAttribute('aria-valuenow')) > 5,
  );
  network.cut = true;
  const context = page.context();
  const next = await context.newPage();
  await next.goto(`${base}/files/${folder}`);
  await next.waitForTimeout(1_200);
  assert.equal(await next.locator('[data-upload]').count(), 0, 'another tab leaves alone what has its tab');
  await page.close();
  await next.reload();
  await next.waitForSelector('[data-upload="film.bin"]');
  network.cut = false;
  network.bytesPerSecond = null;
  await next.waitForSelector('[data-upload="film.bin"][data-state=done]', { timeout: 60_000 });
  assert.equal(await sizeOf(files, folder, 'film.bin'), 24 * 1024 * 1024);
}

export async function pausesRetriesAndCancelsEach({ open, files, base, network }) {
  const page = await open();
  const folder = await ownFolder(page, files, base, 'Each');
  await page.waitForFunction(() => navigator.serviceWorker.controller !== null);
  network.cut = true;
  await eventually(() => page.locator('[data-sync]').innerText(), 'Offline', 'it is known to be offline', 20_000);
  await dropFiles(page, 'main', [
    { name: 'stays.txt', text: 'a' },
    { name: 'goes.txt', text: 'b' },
    { name: 'waits.txt', text: 'c' },
  ]);
  const line = (name) => page.locator(`[data-upload="${name}"]`);
  await line('waits.txt').locator('[aria-label=Pause]').click();
  await line('goes.txt').locator('[aria-label=Cancel]').click();
  await page.waitForSelector('[data-upload="waits.txt"][data-state=paused]');
  network.cut = false;
  await eventually(() => onServer(files, folder), ['stays.txt'], 'only one is sent', 20_000);
  // A pause holds over a reload.
  await page.reload();
  await page.waitForSelector('[data-upload="waits.txt"][data-state=paused]');
  await line('waits.txt').locator('[aria-label=Resume]').click();
  await eventually(() => onServer(files, folder), ['stays.txt', 'waits.txt']);
}

const numbered = (count, name) =>
  Array.from({ length: count }, (_, at) => ({ name: `${name} ${String(at).padStart(3, '0')}.txt`, text: `${at}` }));
const trayTitle = (page) => page.locator('[data-upload-title]').innerText();

/** Small files go together, and what was stored is known again when the answer was lost. */
export async function smallFilesGoTogether({ open, files, base, network }) {
  const page = await open();
  const folder = await ownFolder(page, files, base, 'Together');
  await page.waitForFunction(() => navigator.serviceWorker.controller !== null);
  const posted = [];
  page.on('request', (request) => {
    const { pathname } = new URL(request.url());
    if (request.method() === 'POST' && /\/(?:files|batch)$/.test(pathname)) posted.push(pathname);
  });
  network.deaf = true;
  // Of two files of one name the second is asked about, whether the page or the server finds that it is taken.
  const wanted = [...numbered(250, 'note'), { name: 'note 000.txt', text: 'other' }];
  await dropFiles(page, 'main', wanted);
  await eventually(async () => (await onServer(files, folder)).length, 250, 'all is stored, unheard', 30_000);
  network.deaf = false;
  await page.waitForSelector('[data-choice=rename]', { timeout: 30_000 });
  await page.click('[data-choice=rename]');
  await eventually(() => trayTitle(page), '251 files uploaded', 'all are done', 30_000);
  const names = [...wanted.slice(0, 250).map((one) => one.name), 'note 000 (2).txt'].sort();
  assert.deepEqual(await onServer(files, folder), names, 'nothing is there twice');
  const alone = posted.filter((path) => path.endsWith('/files')).length;
  assert.ok(alone <= 8 && posted.length <= 20, `${posted.length} requests, ${alone} of them for one file`);
}

/** A folder with folders in it, dropped from the desktop; one that is there already takes what is new. */
export async function dropsAWholeTree({ open, files, base }) {
  const page = await open();
  const folder = await ownFolder(page, files, base, 'Trees');
  const there = await files.folder('Trip', folder);
  await files.file('old.txt', 'old', 'text/plain', there);
  await row(page, 'Trip').waitFor();
  await dropTrees(page, 'main', [
    {
      name: 'Trip',
      children: [
        ...numbered(150, 'page'),
        { name: 'Empty', children: [] },
        { name: 'Карты', children: [{ name: 'Север', children: [{ name: 'план.txt', text: 'план' }] }] },
      ],
    },
    { name: 'alone.txt', text: 'alone' },
  ]);
  await eventually(() => trayTitle(page), '152 files uploaded', 'all are done', 30_000);
  // The folder is one line, which opens.
  const line = page.locator('[data-upload-folder=Trip]');
  await line.locator('[aria-expanded=false]').click();
  await page.waitForSelector('[data-upload="page 000.txt"][data-state=done]');
  assert.deepEqual(await onServer(files, folder), ['Trip', 'alone.txt']);
  const inside = await (await files.call('GET', `/folders/${there}/children?limit=1000`)).json();
  assert.equal(inside.items.length, 153);
  assert.ok(inside.items.some((item) => item.name === 'Empty' && item.kind === 'folder'));
  await openFolder(page, 'Trip');
  await openFolder(page, 'Карты');
  await openFolder(page, 'Север');
  await row(page, 'план.txt').waitFor();
}

/** Files of the clipboard come into the folder that is open, and text stays with who writes it. */
export async function pastesFilesOfTheClipboard({ open, files, base }) {
  const page = await open();
  const folder = await ownFolder(page, files, base, 'Pasted');
  await page.waitForSelector('[data-empty]');
  const paste = (name) =>
    page.evaluate((called) => {
      const clipboardData = new DataTransfer();
      if (called) clipboardData.items.add(new File(['a picture'], called, { type: 'image/png' }));
      else clipboardData.setData('text/plain', 'only words');
      const event = new ClipboardEvent('paste', { clipboardData, bubbles: true, cancelable: true });
      document.querySelector('#files').dispatchEvent(event);
      return event.defaultPrevented;
    }, name);
  assert.equal(await paste('screenshot.png'), true);
  await row(page, 'screenshot.png').waitFor();
  await eventually(() => onServer(files, folder), ['screenshot.png']);
  assert.equal(await paste(null), false);
}

/** A row of a folder and a folder of the tree take what is dropped on them, and not the folder that is open. */
export async function dropsOnFoldersAndOnTheTree({ open, files, base }) {
  const page = await open();
  const folder = await ownFolder(page, files, base, 'Targets');
  const inList = await files.folder('In the list', folder);
  // Beside the open folder, which is in sight.
  const inTree = await files.folder('Targets too');
  await files.file('note.txt', 'x', 'text/plain', folder);
  await row(page, 'In the list').waitFor();
  await dropFiles(page, '[role=grid] [data-name="In the list"]', [{ name: 'list.txt', text: 'a' }]);
  await eventually(() => onServer(files, inList), ['list.txt']);
  const leaf = page.locator('[role=treeitem]', { hasText: 'Targets too' }).first();
  await leaf.waitFor();
  await leaf.evaluate((node) => node.setAttribute('data-drop-here', ''));
  await dropFiles(page, '[data-drop-here]', [{ name: 'tree.txt', text: 'b' }]);
  await eventually(() => onServer(files, inTree), ['tree.txt']);
  // On the row of a file it goes into the folder that is open.
  await dropFiles(page, '[role=grid] [data-name="note.txt"]', [{ name: 'beside.txt', text: 'c' }]);
  await eventually(() => onServer(files, folder), ['In the list', 'beside.txt', 'note.txt']);
}

/** A large file that was paused is paused after a reload too, and goes on from there. */
export async function aPauseOfALargeFileHolds({ open, files, base, network }) {
  const page = await open();
  const folder = await ownFolder(page, files, base, 'Paused');
  await page.waitForFunction(() => navigator.serviceWorker.controller !== null);
  // What is on its way when it is paused, in buffers and in a block that is not whole, is sent again.
  const size = 64 * 1024 * 1024;
  await page.evaluate(async (bytes) => {
    const root = await navigator.storage.getDirectory();
    const handle = await root.getFileHandle('paused.bin', { create: true });
    const writer = await handle.createWritable();
    await writer.write(new Uint8Array(bytes).fill(7));
    await writer.close();
    globalThis.showOpenFilePicker = () => Promise.resolve([handle]);
  }, size);
  network.bytesPerSecond = 8_000_000;
  await page.keyboard.press('Alt+u');
  await page.waitForFunction(
    () =>
      Number(document.querySelector('[data-upload="paused.bin"] [role=progressbar]')?.getAttribute('aria-valuenow')) >
      40,
  );
  await page.locator('[data-upload="paused.bin"] [aria-label=Pause]').click();
  await page.waitForSelector('[data-upload="paused.bin"][data-state=paused]');
  await page.waitForFunction(isWritten, { table: 'uploads', state: 'paused' });
  await page.reload();
  await page.waitForSelector('[data-upload="paused.bin"][data-state=paused]');
  network.bytesPerSecond = null;
  const offsets = [];
  page.on(
    'request',
    (request) => request.method() === 'PATCH' && offsets.push(Number(request.headers()['upload-offset'])),
  );
  await page.locator('[data-upload="paused.bin"] [aria-label=Resume]').click();
  await page.waitForSelector('[data-upload="paused.bin"][data-state=done]', { timeout: 60_000 });
  assert.equal(await sizeOf(files, folder, 'paused.bin'), size);
  assert.ok(offsets[0] > 0, `it goes on where the server is, not from ${offsets[0]}`);
}

/** How far uploads are stands in the status bar, leads to the tray, and is gone when they are over; who signs out is asked. */
export async function theStatusBarAndTheWayOutKnowOfUploads({ open, files, base, network }) {
  const page = await open();
  await ownFolder(page, files, base, 'Under way');
  await page.waitForFunction(() => navigator.serviceWorker.controller !== null);
  const sign = page.locator('[data-upload-status]');
  network.bytesPerSecond = 3_000_000;
  await dropFiles(page, 'main', [{ name: 'slow.bin', size: 24 * 1024 * 1024 }]);
  await eventually(
    async () => /^Uploading\s+[1-9]\d?%$/.test(await sign.innerText()),
    true,
    'it says how far it is',
    20_000,
  );
  const tray = page.locator('section[aria-label=Uploads]');
  await tray.locator('[aria-label="Show less"]').click();
  await page.locator('[data-upload="slow.bin"]').waitFor({ state: 'hidden' });
  await sign.click();
  await page.locator('[data-upload="slow.bin"]').waitFor({ state: 'visible' });
  await page.waitForFunction(() => document.activeElement?.closest('section[aria-label=Uploads]') !== null);

  // The same is there for the keyboard.
  await page.keyboard.press('Control+k');
  await page.keyboard.type('Pause all uploads');
  await page.keyboard.press('Enter');
  await page.waitForSelector('[data-upload="slow.bin"][data-state=paused]');
  await eventually(async () => (await sign.innerText()).replace(/\s+/g, ' '), 'Uploading Paused');

  await page
    .getByRole('button', { name: /^Administrator/ })
    .first()
    .click();
  await page.getByRole('menuitem', { name: 'Sign out' }).click();
  await page.getByRole('dialog').getByText('Sign out with unfinished uploads?').waitFor();
  await page.getByText('1 file has not been uploaded yet.').waitFor();
  await page.getByText('It will have to be chosen again.').waitFor();
  await page.getByRole('dialog').getByRole('button', { name: 'Cancel' }).click();
  network.bytesPerSecond = null;
  await page.locator('[data-upload="slow.bin"] [aria-label=Resume]').click();
  await page.waitForSelector('[data-upload="slow.bin"][data-state=done]', { timeout: 60_000 });
  await sign.waitFor({ state: 'detached' });
}

/** A name that somebody takes while a large file is on its way: what is chosen then counts, and no byte is sent again. */
export async function aNameTakenMeanwhileIsAskedAbout({ open, files, base, network }) {
  const page = await open();
  const folder = await ownFolder(page, files, base, 'Meanwhile');
  await page.waitForFunction(() => navigator.serviceWorker.controller !== null);
  const size = 10 * 1024 * 1024;
  network.bytesPerSecond = 4_000_000;
  await dropFiles(page, 'main', [{ name: 'taken.bin', size }]);
  await page.waitForFunction(
    () =>
      Number(document.querySelector('[data-upload="taken.bin"] [role=progressbar]')?.getAttribute('aria-valuenow')) > 5,
  );
  await files.file('taken.bin', 'mine', 'application/octet-stream', folder);
  await page.waitForSelector('[data-choice=rename]', { timeout: 30_000 });
  network.bytesPerSecond = null;
  await page.click('[data-choice=rename]');
  await page.waitForSelector('[data-upload="taken.bin"][data-state=done]');
  await eventually(() => onServer(files, folder), ['taken (2).bin', 'taken.bin']);
  assert.equal(await sizeOf(files, folder, 'taken (2).bin'), size);
}
