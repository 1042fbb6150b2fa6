// What people do, from beginning to end. Each exported function is one journey.
import AxeBuilder from '@axe-core/playwright';
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { click, dropFiles, eventually, names, onServer, openFolder, ownFolder, row, selected, settled, signIn, sync } from './steps.mjs';

export async function refusesAWrongPasswordAndSignsOut({ open }) {
  const page = await open({ signedIn: false });
  await page.fill('input[name=username]', 'admin');
  await page.fill('input[name=password]', 'not-the-password');
  await page.keyboard.press('Enter');
  await page.waitForSelector('[role=alert]');
  await signIn(page);
  await page.click('[data-account]');
  await page.click('[role=menuitem][data-action=sign-out]');
  await page.waitForSelector('input[name=username]');
  await page.goto(page.url().replace(/signin.*/, 'files'));
  await page.waitForSelector('input[name=username]');
}

export async function keepsTwoTabsSignedInAcrossARenewal({ open, base }) {
  const first = await open();
  const second = await first.context().newPage();
  await second.goto(`${base}/files`);
  await second.waitForSelector('[role=grid]');
  // The access token ends now, in both tabs at once: only one of them may spend the refresh token.
  await first.evaluate(
    () =>
      new Promise((resolve, reject) => {
        const request = indexedDB.open('holdfast-session');
        request.onsuccess = () => {
          const store = request.result.transaction('sessions', 'readwrite').objectStore('sessions');
          const get = store.get('current');
          get.onsuccess = () => {
            store.put({ ...get.result, accessUntil: 0 }).onsuccess = resolve;
          };
        };
        request.onerror = reject;
      }),
  );
  await Promise.all([first.goto(`${base}/settings`), second.goto(`${base}/settings`)]);
  for (const page of [first, second]) await page.waitForSelector('text=This browser');
}

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
  assert.deepEqual(await input.evaluate((field) => [field.selectionStart, field.selectionEnd]), [0, 'note.final'.length], 'only the stem is selected');
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
  await page.click('[data-confirm-delete]');
  await settled(page);
  await eventually(() => onServer(files, folder), ['Trip', 'note.final.txt']);
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
  await row(page, 'a.txt').locator('[data-handle]').first().dragTo(page.locator('nav').getByRole('link', { name: 'Drag here' }));
  await eventually(() => names(page), ['b.txt']);
}

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

export async function downloadsThroughTheServiceWorker({ open }) {
  const page = await open();
  await page.waitForFunction(() => navigator.serviceWorker.controller !== null);
  await click(page, 'Quarterly report.pdf');
  const [download] = await Promise.all([page.waitForEvent('download'), page.click('[role=toolbar] [aria-label=Download]')]);
  assert.equal(download.suggestedFilename(), 'Quarterly report.pdf');
  assert.equal(readFileSync(await download.path()).subarray(0, 5).toString(), '%PDF-');
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
  assert.equal(await page.title(), 'Holdfast', 'nothing of a file may run');
  await page.keyboard.press('ArrowDown');
  await page.waitForSelector('[role=dialog] input[type=range]');
  await page.waitForFunction(() => document.querySelector('[role=dialog] video')?.duration > 0.9);
  await page.keyboard.press('Space');
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

export async function worksWithoutAConnectionAndConverges({ open, files, base, network }) {
  const page = await open();
  const folder = await ownFolder(page, files, base, 'Offline');
  const plan = await files.file('plan.txt', 'x', 'text/plain', folder);
  await files.file('old.txt', 'x', 'text/plain', folder);
  await row(page, 'plan.txt').waitFor();
  await row(page, 'old.txt').waitFor();
  await page.waitForFunction(() => navigator.serviceWorker.controller !== null);

  network.cut = true;
  await page.reload();
  await row(page, 'plan.txt').waitFor();
  await page.keyboard.press('Alt+n');
  await page.waitForSelector('[role=grid] input');
  await page.keyboard.type('Made offline');
  await page.keyboard.press('Enter');
  await click(page, 'plan.txt');
  await page.keyboard.press('F2');
  await page.locator('[role=grid] input').fill('mine.txt');
  await page.keyboard.press('Enter');
  await click(page, 'mine.txt');
  await page.keyboard.press('Control+x');
  await openFolder(page, 'Made offline');
  await page.keyboard.press('Control+v');
  await row(page, 'mine.txt').waitFor();
  // What was done survives a start without connection.
  await page.reload();
  await row(page, 'mine.txt').waitFor();
  await eventually(() => sync(page), 'Offline, 4 changes waiting');
  assert.deepEqual(await onServer(files, folder), ['old.txt', 'plan.txt']);

  // Meanwhile somebody renames the same file.
  assert.equal((await files.call('PATCH', `/entries/${plan}`, { name: 'theirs.txt' })).status, 200);
  network.cut = false;
  await eventually(() => onServer(files, folder), ['Made offline', 'old.txt'], 'the changes arrive', 30_000);
  await settled(page);
  const made = (await (await files.call('GET', `/folders/${folder}/children?limit=100`)).json()).items.find((item) => item.name === 'Made offline');
  assert.deepEqual(await onServer(files, made.id), ['mine.txt']);
  await page.waitForSelector('text=“theirs.txt” was renamed elsewhere');
  await page.waitForURL(`**/files/${made.id}`);
}

export async function showsWhatOthersDoAndSurvivesARestart({ open, files, base, startServer, stopServer }) {
  const first = await open();
  const folder = await ownFolder(first, files, base, 'Shared view');
  const second = await open();
  await second.goto(`${base}/files/${folder}`);
  await first.keyboard.press('Alt+n');
  await first.waitForSelector('[role=grid] input');
  await first.keyboard.type('From the first');
  await first.keyboard.press('Enter');
  await row(second, 'From the first').waitFor();
  await stopServer();
  await eventually(() => sync(first), 'Offline', 'a stopped server is told', 20_000);
  await first.keyboard.press('Alt+n');
  await first.waitForSelector('[role=grid] input');
  await first.keyboard.type('While it was down');
  await first.keyboard.press('Enter');
  await startServer();
  await row(second, 'While it was down').waitFor({ timeout: 60_000 });
  await settled(first);
}

/** Random work in two browsers, with the network coming and going, ends in one and the same tree. */
export async function twoBrowsersConvergeAfterRandomWork({ open, files, base, network }) {
  const seedNumber = Number(process.env.HOLDFAST_E2E_SEED ?? Date.now() % 100_000);
  console.log(`      seed ${seedNumber}`);
  let state = seedNumber;
  const random = (below) => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    return Math.floor((state / 2_147_483_648) * below);
  };
  const first = await open();
  const folder = await ownFolder(first, files, base, `Random ${seedNumber}`);
  const second = await open();
  await second.goto(`${base}/files/${folder}`);
  for (let at = 0; at < 6; at += 1) await files.file(`file ${at}.txt`, String(at), 'text/plain', folder);
  for (const page of [first, second]) await row(page, 'file 5.txt').waitFor();
  const steps = Number(process.env.HOLDFAST_E2E_STEPS ?? 24);
  for (let step = 0; step < steps; step += 1) {
    if (random(5) === 0) network.cut = !network.cut;
    const page = random(2) === 0 ? first : second;
    const known = await names(page);
    const name = known[random(known.length)];
    const what = random(4);
    if (what === 0 || !name) {
      await page.keyboard.press('Alt+n');
      await page.waitForSelector('[role=grid] input');
      await page.keyboard.type(`folder ${random(4)}-${step}`);
      await page.keyboard.press('Enter');
    } else if (what === 1) {
      // A change of the other browser may take the row away under the hand, as it may for a person.
      await click(page, name, { timeout: 1_000 }).catch(() => undefined);
      await page.keyboard.press('F2');
      const input = page.locator('[role=grid] input');
      if ((await input.count()) > 0) {
        await input.fill(`name ${random(3)} at ${step}.txt`, { timeout: 1_000 }).catch(() => undefined);
        await page.keyboard.press('Enter');
      }
    } else if (what === 2) {
      await click(page, name, { timeout: 1_000 }).catch(() => undefined);
      await page.keyboard.press('Control+d');
    } else if (known.length > 3) {
      await click(page, name, { timeout: 1_000 }).catch(() => undefined);
      await page.keyboard.press('Delete');
      await page.click('[data-confirm-delete]', { timeout: 1_000 }).catch(() => undefined);
    }
    await page.keyboard.press('Escape');
  }
  network.cut = false;
  // What rests on something that the other one removed is refused and kept aside, never dropped.
  for (const page of [first, second]) await eventually(async () => /^(?:Up to date|\d+ changes? could not be saved)$/.test(await sync(page)), true, 'the sync state', 30_000);
  for (const page of [first, second]) {
    const difference = async () => {
      const [truth, shown] = [await onServer(files, folder), (await names(page)).sort()];
      return { missing: truth.filter((name) => !shown.includes(name)), extra: shown.filter((name) => !truth.includes(name)) };
    };
    await eventually(difference, { missing: [], extra: [] }, `seed ${seedNumber}: a browser and the server differ`, 20_000);
  }
}

export async function scrollsAHugeFolderWithFewRows({ open, files, base }) {
  const page = await open();
  const folder = await files.folder('Huge');
  const total = Number(process.env.HOLDFAST_E2E_ROWS ?? 1_500);
  for (let at = 0; at < total; at += 50) {
    await Promise.all(Array.from({ length: 50 }, (_, offset) => files.folder(`Entry ${at + offset}`, folder)));
  }
  await page.goto(`${base}/files/${folder}`);
  await page.waitForFunction((count) => document.querySelector('#files')?.getAttribute('aria-rowcount') === String(count + 1), total, { timeout: 30_000 });
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

export async function drainsAServerAndTakesItBack({ open, base }) {
  const page = await open();
  await page.goto(`${base}/admin/servers`);
  await page.waitForSelector('text=Server 6');
  await page.click('[aria-label="Actions for Server 6"]');
  await page.click('[role=menuitem][data-action=drain]');
  await page.click('[role=dialog] >> text=Empty this server');
  // With six servers and six parts a drain is refused or begins; either way the page says what is so.
  await page.waitForSelector('text=/Emptying|too few servers/');
  if ((await page.locator('text=Emptying').count()) > 0) {
    await page.click('[aria-label="Actions for Server 6"]');
    await page.click('[role=menuitem][data-action=activate]');
    await page.waitForSelector('text=Emptying', { state: 'detached' });
  }
}

export async function hasNoBarriers({ open, base }) {
  const found = [];
  for (const theme of ['light', 'dark']) {
    for (const language of ['en', 'ru']) {
      const page = await open({ theme, language, signedIn: false });
      const check = async (where) => {
        const { violations } = await new AxeBuilder({ page }).withTags(['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa']).analyze();
        for (const one of violations) found.push(`${where} ${theme} ${language}: ${one.id}: ${one.nodes.slice(0, 3).map((node) => `${node.target.join(' ')} ${node.any[0]?.message ?? ''}`).join(' | ')}`);
      };
      await check('sign-in');
      await signIn(page);
      await row(page, 'main.rs').waitFor();
      await page.waitForTimeout(300);
      await check('list');
      await click(page, 'backup.tar.gz');
      await page.waitForSelector('aside ol li');
      await check('selection and parts');
      await click(page, 'main.rs', { button: 'right' });
      await page.waitForTimeout(250);
      await check('menu');
      await page.keyboard.press('Escape');
      await page.keyboard.press('Space');
      await page.waitForSelector('[role=dialog] .code');
      await page.waitForTimeout(350);
      await check('quick look');
      await page.keyboard.press('Escape');
      await page.keyboard.press('Control+2');
      await page.waitForTimeout(300);
      await check('grid');
      await page.keyboard.press('Control+1');
      await page.keyboard.press('Control+k');
      await page.waitForTimeout(300);
      await check('palette');
      for (const [path, sign] of [['/settings', 'section ul li'], ['/admin/servers', 'main ul li'], ['/ui', 'main section']]) {
        await page.goto(`${base}${path}`);
        await page.waitForSelector(sign);
        await page.waitForTimeout(300);
        await check(path);
      }
      await page.context().close();
    }
  }
  assert.deepEqual(found, []);
}

export async function staysWithinItsBudgets({ open, base, network }) {
  const assets = new URL('../../dist/assets/', import.meta.url).pathname;
  const css = readdirSync(assets).filter((name) => name.startsWith('index-') && name.endsWith('.css'));
  const packed = (name) => gzipSync(readFileSync(join(assets, name))).length;
  assert.ok(css.reduce((sum, name) => sum + packed(name), 0) <= 15_000, 'style sheet');
  const page = await open({ signedIn: false });
  const scripts = new Set();
  page.on('response', (response) => {
    const path = new URL(response.url()).pathname;
    if (path.startsWith('/assets/') && path.endsWith('.js') && !response.fromServiceWorker()) scripts.add(path.slice('/assets/'.length));
  });
  await page.reload();
  await signIn(page);
  await row(page, 'main.rs').waitFor();
  // The sign-in page before it, and what is fetched beside the list without its waiting for it.
  const lazy = /^(?:SignInPage|TextField|dndAdapters|Inspector|PartsPanel)/;
  const bytes = [...scripts].filter((name) => !lazy.test(name)).reduce((sum, name) => sum + packed(name), 0);
  if (process.env.HOLDFAST_E2E_LIST) for (const name of [...scripts].sort((a, b) => packed(b) - packed(a))) console.log(`      ${packed(name)} ${name}`);
  console.log(`      script to the first list ${(bytes / 1000).toFixed(1)} kB gzip`);
  assert.ok(bytes <= 170_000, `${bytes} bytes of script`);

  await page.waitForFunction(() => navigator.serviceWorker.controller !== null);
  await page.waitForTimeout(500);
  const times = [];
  for (let round = 0; round < 3; round += 1) {
    await page.goto('about:blank');
    await page.goto(`${base}/files`, { waitUntil: 'commit' });
    await row(page, 'main.rs').waitFor();
    times.push(await page.evaluate(() => performance.now()));
  }
  console.log(`      second visit, list ready after ${times.map((time) => Math.round(time)).join(', ')} ms`);
  assert.ok(Math.min(...times) <= 600, `${times}`);
  network.cut = true;
  await page.reload();
  await row(page, 'main.rs').waitFor();
}
