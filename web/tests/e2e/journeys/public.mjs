// The page of a link, for people without an account.
import AxeBuilder from '@axe-core/playwright';
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { pdf, png, wav } from '../seed.mjs';
import { dist } from '../serve.mjs';
import { dropFiles, dropTrees, eventually, onServer } from '../steps.mjs';

const make = async (files, entry, rules = {}) => {
  const answer = await files.call('POST', `/entries/${entry}/links`, { mode: 'download', ...rules });
  assert.equal(answer.status, 201, await answer.clone().text());
  return answer.json();
};
const item = (page, name) => page.locator(`a[data-name="${name}"]`);
const heading = (page, name) =>
  page.waitForFunction((wanted) => document.querySelector('main h1')?.textContent?.trim() === wanted, name);

/** A visitor: nobody signed in, and every call is one that visitors may make. */
async function visit(open, base, link, options = {}) {
  const page = await open({ ...options, signedIn: false });
  const asked = [];
  page.on('request', (request) => asked.push(new URL(request.url()).pathname));
  await page.goto(`${base}/s/${link.token}`);
  return { page, asked };
}

async function exhibition(files, name) {
  const folder = await files.folder(name);
  const inner = await files.folder('Sketches', folder);
  const ids = {};
  for (let at = 1; at <= 4; at += 1)
    ids[`View ${at}.png`] = await files.file(
      `View ${at}.png`,
      png(300, 200, [40 * at, 90, 160], [240, 220, 200]),
      'image/png',
      folder,
    );
  ids['words.txt'] = await files.file('words.txt', 'Low water at six.\n'.repeat(400), 'text/plain', folder);
  await files.file('Scan 10.pdf', pdf(), 'application/pdf', inner);
  await files.file('Scan 2.pdf', pdf(), 'application/pdf', inner);
  await files.file('horn.wav', wav(), 'audio/wav', inner);
  await files.file('model.bin', 'x'.repeat(2_000), 'application/octet-stream', inner);
  return { folder, inner, ids };
}

export async function visitorsSeeAndTakeWhatIsShared({ open, files, base }) {
  const { folder, ids } = await exhibition(files, 'Exhibition');
  const secret = await files.file('not shared.txt', 'x', 'text/plain');
  const link = await make(files, folder, { note: 'Take what you like.\nAll of it.' });
  const { page, asked } = await visit(open, base, link);
  await heading(page, 'Exhibition');
  await page.getByText('Take what you like.').waitFor();
  await page.getByText('Shared by Administrator').waitFor();
  assert.equal(await page.title(), 'Exhibition · Holdfast');
  // Most of it is pictures, so it shows as pictures, and folders come first.
  await page.waitForSelector('ul[data-view=grid]');
  await eventually(
    () => page.$$eval('ul[data-view=grid] img', (all) => all.filter((one) => one.naturalWidth > 0).length),
    4,
    'pictures show',
  );
  await page.getByRole('radio', { name: 'List' }).check({ force: true });
  assert.deepEqual(await page.$$eval('a[data-name]', (all) => all.map((one) => one.dataset.name)), [
    'Sketches',
    'View 1.png',
    'View 2.png',
    'View 3.png',
    'View 4.png',
    'words.txt',
  ]);

  await item(page, 'View 2.png').click();
  await heading(page, 'View 2.png');
  await page.waitForFunction(() => document.querySelector('main section img')?.naturalWidth === 300);
  await page.keyboard.press('ArrowRight');
  await heading(page, 'View 3.png');
  await page.getByText('3 of 5').waitFor();
  await page.reload();
  await heading(page, 'View 3.png');
  await page.getByRole('button', { name: 'Next' }).click();
  await page.getByRole('button', { name: 'Next' }).click();
  await page.locator('pre', { hasText: 'Low water at six.' }).waitFor();
  const saved = page.waitForEvent('download');
  await page.click('[data-download]');
  assert.equal(readFileSync(await (await saved).path(), 'utf8').length, 18 * 400);
  assert.equal((await saved).suggestedFilename(), 'words.txt');

  await page.getByRole('navigation', { name: 'Path' }).getByText('Exhibition').click();
  await heading(page, 'Exhibition');
  await item(page, 'Sketches').click();
  await heading(page, 'Sketches');
  assert.deepEqual(await page.$$eval('a[data-name]', (all) => all.map((one) => one.dataset.name)), [
    'horn.wav',
    'model.bin',
    'Scan 2.pdf',
    'Scan 10.pdf',
  ]);
  await item(page, 'Scan 2.pdf').click();
  await page.waitForFunction(() => document.querySelector('main canvas')?.width > 0);
  await page.goBack();
  await item(page, 'horn.wav').click();
  await page.waitForFunction(() => document.querySelector('main video')?.duration > 0.9);
  await page.keyboard.press('Escape');
  await heading(page, 'Sketches');
  await item(page, 'model.bin').click();
  await page.getByText('No preview for this kind of file').waitFor();
  await page.goBack();
  await heading(page, 'Sketches');

  // All of a folder below, and all of everything, as one archive each.
  for (const up of [false, true]) {
    if (up) {
      await page.goto(`${base}/s/${link.token}`);
      await heading(page, 'Exhibition');
    }
    const archive = page.waitForEvent('download');
    await page.click('[data-download-all]');
    const bytes = readFileSync(await (await archive).path());
    assert.equal(bytes.subarray(0, 2).toString(), 'PK');
    assert.ok(bytes.includes('Scan 10.pdf'));
    assert.equal(bytes.includes('View 1.png'), up);
  }
  // What is beside it is not there for visitors.
  await page.goto(`${base}/s/${link.token}/${secret}`);
  await page.waitForSelector('[data-end=missing]');
  await page.getByRole('button', { name: 'Go to what is shared' }).click();
  await heading(page, 'Exhibition');
  assert.deepEqual(
    [
      ...new Set(
        asked.filter((path) => path.startsWith('/api/') && !path.startsWith(`/api/v1/public/links/${link.token}`)),
      ),
    ],
    ['/api/v1/public/instance'],
    'nothing but the link and the name of the server is asked for',
  );
  assert.ok(ids['words.txt']);
}

export async function visitorsNeedThePasswordAndKeepTheRules({ open, files, base }) {
  const { folder, ids } = await exhibition(files, 'Locked exhibition');
  const link = await make(files, folder, { mode: 'view', password: 'long-enough', note: 'Only for you' });
  const { page } = await visit(open, base, link);
  await page.getByText('A password is needed').waitFor();
  assert.equal(await page.getByText('Only for you').count(), 0);
  assert.equal(await page.getByText('Locked exhibition').count(), 0);
  await page.fill('input[name=password]', 'wrong-enough');
  await page.keyboard.press('Enter');
  await page.getByText('This is not the password.').waitFor();
  await page.fill('input[name=password]', 'long-enough');
  await page.keyboard.press('Enter');
  await heading(page, 'Locked exhibition');
  await page.getByText('View only').waitFor();
  assert.equal(await page.locator('[data-download-all]').count(), 0);
  await page.reload();
  await heading(page, 'Locked exhibition');
  await item(page, 'words.txt').click();
  await page.locator('pre', { hasText: 'Low water' }).waitFor();
  assert.equal(await page.locator('[data-download]').count(), 0);

  // Where downloads are counted down, nothing is used up by looking around.
  const few = await make(files, folder, { download_limit: 1 });
  const other = (await visit(open, base, few)).page;
  await heading(other, 'Locked exhibition');
  await other.waitForSelector('ul[data-view=grid]');
  assert.equal(await other.locator('ul[data-view=grid] img').count(), 0);
  await other.getByText('1 download left').waitFor();
  await item(other, 'View 1.png').click();
  await other.waitForSelector('[data-show]');
  assert.equal((await (await files.call('GET', `/links/${few.id}`)).json()).downloads, 0);
  await other.click('[data-show]');
  await other.waitForFunction(() => document.querySelector('main section img')?.naturalWidth === 300);
  assert.equal((await (await files.call('GET', `/links/${few.id}`)).json()).downloads, 1);
  await other.getByText('0 downloads left').waitFor();
  assert.equal(await other.locator('main section img').count(), 1, 'what was shown stays');
  // Saving what was looked at is no second download; anything else would be one.
  const saved = other.waitForEvent('download');
  await other.click('[data-download]');
  await (await saved).path();
  await other.keyboard.press('ArrowRight');
  await other.click('[data-show]');
  await other.waitForSelector('[data-end=used]');
  assert.ok(ids['View 1.png']);
}

export async function visitorsAreToldWhyALinkLeadsNowhere({ open, files, base, network }) {
  const file = await files.file('fleeting.txt', 'soon gone', 'text/plain');
  const link = await make(files, file);
  const { page } = await visit(open, base, link, { language: 'ru' });
  await heading(page, 'fleeting.txt');
  await page.locator('pre', { hasText: 'soon gone' }).waitFor();
  const endsAt = Date.now() + 1_000;
  assert.equal(
    (await files.call('PATCH', `/links/${link.id}`, { expires_at: new Date(endsAt).toISOString() })).status,
    200,
  );
  await page.waitForTimeout(Math.max(0, endsAt - Date.now()) + 100);
  await page.click('[data-download]');
  await page.waitForSelector('[data-end=expired]');
  await page.getByText('Срок ссылки истёк').first().waitFor();
  await page.click('[data-language]');
  await page.getByText('This link has ended').first().waitFor();
  const revoked = await make(files, file);
  await page.goto(`${base}/s/${revoked.token}`);
  await heading(page, 'fleeting.txt');
  await files.call('DELETE', `/links/${revoked.id}`);
  await page.reload();
  await page.waitForSelector('[data-end=gone]');
  await page.goto(`${base}/s/AAAAAAAAAAAAAAAAAAAAAA`);
  await page.waitForSelector('[data-end=gone]');
  await page.goto(`${base}/s/`);
  await page.waitForSelector('[data-end=gone]');

  const lasting = await make(files, file);
  await page.goto(`${base}/s/${lasting.token}`);
  await heading(page, 'fleeting.txt');
  network.cut = true;
  await page.click('[data-download]');
  await page.waitForSelector('[data-end=offline]');
  network.cut = false;
  await page.getByRole('button', { name: 'Try again' }).click();
  await heading(page, 'fleeting.txt');
}

export async function visitorsSendFilesIntoADropBox({ open, files, base, network }) {
  const folder = await files.folder('Inbox');
  await files.file('private.txt', 'x', 'text/plain', folder);
  const link = await make(files, folder, { mode: 'upload', note: 'Until Friday, please.' });
  const { page, asked } = await visit(open, base, link);
  await heading(page, 'Send files to Administrator');
  await page.getByText('Until Friday, please.').waitFor();
  assert.equal(await page.getByText('private.txt').count(), 0);
  await page.fill('input[name=visitor]', 'Grace');
  const state = (name) => page.locator(`[data-drop="${name}"]`).getAttribute('data-state');
  const chooser = page.waitForEvent('filechooser');
  await page.click('[data-choose]');
  await (
    await chooser
  ).setFiles([
    { name: 'letter.txt', mimeType: 'text/plain', buffer: Buffer.from('Dear all') },
    { name: 'empty.txt', mimeType: 'text/plain', buffer: Buffer.alloc(0) },
  ]);
  await page.getByText('All files have arrived. Thank you!').waitFor();
  assert.deepEqual(await onServer(files, folder), ['empty.txt', 'letter.txt', 'private.txt']);

  // The connection goes in the middle of one: it is sent again by itself. Another one is refused, and sent again by hand.
  network.bytesPerSecond = 3_000_000;
  let refuse = true;
  await page.route(/\/files\?name=refused/, (route) =>
    refuse
      ? route.fulfill({
          status: 507,
          contentType: 'application/problem+json',
          body: JSON.stringify({ code: 'quota-exceeded', detail: 'There is no room for it.' }),
        })
      : route.continue(),
  );
  await dropFiles(page, '[data-dropzone]', [
    { name: 'film.mp4', size: 9_000_000, type: 'video/mp4' },
    { name: 'refused.bin', size: 10 },
  ]);
  await eventually(() => state('refused.bin'), 'failed', 'the refusal shows');
  await page.getByText('has no room for this file').waitFor();
  await page.waitForFunction(
    () =>
      document
        .querySelector('[data-drop="film.mp4"][data-state=sending] [role=progressbar][aria-valuenow]')
        ?.getAttribute('aria-valuenow') > 5,
  );
  network.cut = true;
  await eventually(() => state('film.mp4'), 'waiting', 'it waits for the connection');
  await page.getByText('Waits for the connection').waitFor();
  network.cut = false;
  network.bytesPerSecond = null;
  await eventually(() => state('film.mp4'), 'done', 'it is sent when the connection is back');
  refuse = false;
  await page.click('[data-retry-all]');
  await page.getByText('All files have arrived. Thank you!').waitFor();
  assert.deepEqual(await onServer(files, folder), [
    'empty.txt',
    'film.mp4',
    'letter.txt',
    'private.txt',
    'refused.bin',
  ]);
  const { items: events } = await (await files.call('GET', `/links/${link.id}/events`)).json();
  const uploads = events.filter((event) => event.kind === 'uploaded');
  assert.deepEqual(new Set(uploads.map((event) => event.visitor)), new Set(['Grace']));
  assert.deepEqual(
    asked.filter((path) => path.includes('/entries/') || path.includes('/children')),
    [],
    'what is in it is not even asked for',
  );
}

/** Many empty files in one request. */
async function putEmpty(files, apiBase, parent, names) {
  const frames = names.map((path) => {
    const head = Buffer.from(JSON.stringify({ path, size: 0 }));
    const length = Buffer.alloc(4);
    length.writeUInt32BE(head.length);
    return Buffer.concat([length, head]);
  });
  const answer = await fetch(`${apiBase}/api/v1/batch?parent=${parent}`, {
    method: 'POST',
    headers: { ...files.auth, 'content-type': 'application/vnd.holdfast.batch' },
    body: Buffer.concat(frames),
  });
  assert.equal((await answer.json()).refused, 0);
}

/** A folder of 10,000 files: a part of it is in the page, and from a file one goes to the one beside it. */
export async function visitorsSeeLargeFolders({ open, files, base, apiBase }) {
  const count = 10_000;
  const place = (number) => `${number.toLocaleString('en')} of ${count.toLocaleString('en')}`;
  const folder = await files.folder('Large exhibition');
  await files.folder('Zoo', folder);
  await putEmpty(
    files,
    apiBase,
    folder,
    Array.from({ length: count }, (_, at) => `Page ${at + 1}.txt`),
  );
  const link = await make(files, folder);
  const { page } = await visit(open, base, link);
  await page.getByText(`${(count + 1).toLocaleString('en')} items`).waitFor({ timeout: 30_000 });
  const rows = () => page.$$eval('a[data-name]', (all) => all.map((one) => one.dataset.name));
  assert.equal((await rows())[0], 'Zoo', 'folders come first, also from the last page');
  assert.ok((await rows()).length < 120);
  const scrollTo = (share) =>
    page.evaluate((to) => {
      const scroller = document.querySelector('#scroller');
      scroller.scrollTop = scroller.scrollHeight * to;
    }, share);
  await scrollTo(1);
  await item(page, `Page ${count}.txt`).waitFor();
  assert.ok((await rows()).length < 120);
  await scrollTo(0.5);
  await item(page, 'Page 5000.txt').click();
  await page.getByText(place(5000)).waitFor();
  await page.keyboard.press('ArrowRight');
  await heading(page, 'Page 5001.txt');
  await page.getByText(place(5001)).waitFor();
  // Back where one was.
  await page.getByRole('navigation', { name: 'Path' }).getByText('Large exhibition').click();
  await item(page, 'Page 5001.txt').waitFor();
  await page.getByRole('radio', { name: 'Grid' }).check({ force: true });
  await page.waitForSelector('ul[data-view=grid]');
  assert.ok((await rows()).length < 120);
  // Straight to a file, without having seen its folder.
  const { items } = await (await files.call('GET', `/folders/${folder}/children?limit=1000`)).json();
  const last = items.findLast((one) => one.kind === 'file');
  await page.goto(`${base}/s/${link.token}/${last.id}`);
  await page.getByText(place(Number(last.name.match(/\d+/)[0]))).waitFor({ timeout: 20_000 });
}

/** The page is called as the server is. */
export async function visitorsAreToldTheNameOfTheServer({ open, files, base }) {
  const file = await files.file('named.txt', 'x', 'text/plain');
  const link = await make(files, file);
  const page = await open({ signedIn: false });
  await page.route('**/api/v1/public/instance', (route) =>
    route.fulfill({ json: { name: 'Архив Лаборатории', registration: 'closed', welcome: '' } }),
  );
  await page.goto(`${base}/s/${link.token}`);
  await heading(page, 'named.txt');
  await page.locator('header', { hasText: 'Архив Лаборатории' }).waitFor();
  assert.equal(await page.title(), 'named.txt · Архив Лаборатории');
}

/** Folders that are dropped arrive as their files, which is said. */
export async function visitorsDropFolders({ open, files, base }) {
  const folder = await files.folder('Inbox for folders');
  const { page } = await visit(open, base, await make(files, folder, { mode: 'upload' }));
  await heading(page, 'Send files to Administrator');
  assert.equal(await page.locator('[data-flattened]').innerText(), '');
  await dropTrees(page, '[data-dropzone]', [
    {
      name: 'Trip',
      children: [
        { name: 'a.txt', text: 'a' },
        { name: 'Sub', children: [{ name: 'a.txt', text: 'other' }] },
      ],
    },
  ]);
  await page.getByText('side by side').waitFor();
  await page.getByText('All files have arrived. Thank you!').waitFor();
  await page.getByText('Trip/Sub · Sent').waitFor();
  assert.deepEqual(await onServer(files, folder), ['a (2).txt', 'a.txt']);
}

/** The page has no barriers, is small, works on a phone, and brings nothing of the drive. */
export async function theLinkPageKeepsItsPromises({ open, files, base }) {
  const assets = join(dist, 'assets');
  const packed = (name) => gzipSync(readFileSync(join(assets, name))).length;
  const { folder, ids } = await exhibition(files, 'Barrier free');
  const links = {
    folder: await make(files, folder, { note: 'Hello' }),
    file: await make(files, ids['words.txt']),
    picture: await make(files, ids['View 1.png']),
    password: await make(files, folder, { password: 'long-enough' }),
    drop: await make(files, folder, { mode: 'upload' }),
    gone: { token: 'AAAAAAAAAAAAAAAAAAAAAA' },
  };
  const { page, asked } = await visit(open, base, links.folder);
  await page.waitForSelector('ul[data-view]');
  await page.waitForTimeout(250);
  const scripts = [...new Set(asked.filter((path) => /^\/assets\/.*\.js$/.test(path)))].map((path) =>
    path.slice('/assets/'.length),
  );
  const sheets = [...new Set(asked.filter((path) => /^\/assets\/.*\.css$/.test(path)))].map((path) =>
    path.slice('/assets/'.length),
  );
  const bytes = scripts.reduce((sum, name) => sum + packed(name), 0);
  console.log(`      script of the page of links ${(bytes / 1000).toFixed(1)} kB gzip`);
  assert.ok(scripts.length > 0 && bytes <= 90_000, `${bytes} bytes of script`);
  assert.ok(sheets.reduce((sum, name) => sum + packed(name), 0) <= 15_000, 'style sheet');
  for (const name of scripts)
    assert.ok(
      !readFileSync(join(assets, name), 'utf8').includes('holdfast-session'),
      `${name} holds code of the drive`,
    );

  const found = [];
  for (const theme of ['light', 'dark']) {
    for (const language of ['en', 'ru']) {
      const one = await open({ theme, language, signedIn: false });
      for (const [what, link] of Object.entries(links)) {
        await one.goto(`${base}/s/${link.token}`);
        await one.waitForSelector(what === 'gone' ? '[data-end]' : 'main h1');
        await one.waitForTimeout(250);
        const { violations } = await new AxeBuilder({ page: one })
          .withTags(['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'])
          .analyze();
        for (const it of violations)
          found.push(
            `${what} ${theme} ${language}: ${it.id}: ${it.nodes
              .slice(0, 3)
              .map((node) => `${node.target.join(' ')} ${node.any[0]?.message ?? ''}`)
              .join(' | ')}`,
          );
      }
      await one.context().close();
    }
  }
  assert.deepEqual(found, []);
  const phone = await open({ width: 390, height: 844, touch: true, signedIn: false });
  for (const link of Object.values(links)) {
    await phone.goto(`${base}/s/${link.token}`);
    await phone.waitForSelector('main h1');
    assert.ok(
      (await phone.evaluate(() => document.documentElement.scrollWidth - innerWidth)) <= 0,
      'nothing reaches past the edge',
    );
  }
}
