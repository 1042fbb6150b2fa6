// What holds for every page: no barriers, small, quick, and there without a connection.
import AxeBuilder from '@axe-core/playwright';
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { dist } from '../serve.mjs';
import { click, row, signIn } from '../steps.mjs';

const looks = ['light', 'dark'].flatMap((theme) => ['en', 'ru'].map((language) => ({ theme, language })));

/** Looks into a page and notes what stands in anybody's way. */
async function barriers(page, where, { theme, language }, found) {
  const { violations } = await new AxeBuilder({ page })
    .withTags(['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'])
    // No rule of WCAG: the handles between panes, menus and messages belong to no landmark, and need none.
    .disableRules(['region'])
    .analyze();
  for (const one of violations)
    found.push(
      `${where} ${theme} ${language}: ${one.id}: ${one.nodes
        .slice(0, 3)
        .map((node) => `${node.target.join(' ')} ${node.any[0]?.message ?? ''}`)
        .join(' | ')}`,
    );
}

/** Every page but the files, each with something on it. */
export async function pagesHaveNoBarriers({ open, files, base }) {
  const found = [];
  const file = await files.file('marked.txt', 'marked', 'text/plain');
  const gone = await files.file('of barriers.txt', 'gone', 'text/plain');
  assert.equal((await files.call('PUT', `/entries/${file}/favourite`)).status, 204);
  const tag = await (
    await files.call('POST', `/spaces/${files.space}/tags`, { name: 'Marked', colour: 'teal' })
  ).json();
  if (tag.id) assert.ok((await files.call('POST', `/tags/${tag.id}/entries`, { put_on: [file], take_off: [] })).ok);
  assert.ok((await files.call('POST', `/entries/${file}/links`, { mode: 'view', name: 'For review' })).ok);
  assert.ok((await files.call('PUT', `/entries/${file}/grants`, { subject: { kind: 'everyone' }, role: 'viewer' })).ok);
  assert.equal((await files.call('DELETE', `/entries/${gone}`)).status, 204);
  const team = await (await files.call('POST', '/spaces', { name: 'Barriers' })).json();
  const plan = await files.call('POST', '/admin/plans', { name: 'Barriers', storage_bytes: 5e12, links: 3 });
  assert.ok(plan.ok || plan.status === 409);
  const pages = [
    ['/trash', '[data-trashed]'],
    [`/trash?space=${team.id}`, '[data-trash-space]'],
    ['/activity', '[data-activity]'],
    ['/search', '#files'],
    ['/search?q=marked', '#files [data-name]'],
    ['/search?q=is:trashed', '#files'],
    ['/tags', '[data-tag-row]'],
    ['/favourites', '#files [data-name]'],
    ['/recent', '#files [data-name]'],
    ['/shared/with-me', 'main h1'],
    ['/shared/by-me', '#files [data-name]'],
    ['/links', '[data-link]'],
    ['/settings', 'section ul li'],
    ['/admin', '[data-health]'],
    ['/admin/people', '[data-person]'],
    ['/admin/people/invitations', 'main h1'],
    ['/admin/people/groups', 'main h1'],
    ['/admin/people/log', 'main h1'],
    ['/admin/plans', '[data-plan]'],
    ['/admin/spaces', '[data-space]'],
    ['/admin/spaces/uploads', 'main section p'],
    ['/admin/settings', '[data-setting]'],
    ['/admin/jobs', 'main section p'],
    ['/admin/servers', '[data-server]'],
    ['/admin/zones', '[data-map]'],
    ['/forgot-password', 'input[name=email]'],
    ['/verify-email', 'main h1'],
    ['/reset-password', 'main h1'],
    ['/invitation', 'main h1'],
    ['/nowhere', 'main'],
    ['/ui', 'main section'],
  ];
  for (const look of looks) {
    const page = await open(look);
    for (const [path, sign] of pages) {
      await page.goto(`${base}${path}`);
      await page.waitForSelector(sign);
      await page.waitForTimeout(300);
      await barriers(page, path, look, found);
    }
    await page.context().close();
  }
  assert.deepEqual(found, []);
}

/** The same on a phone, where other things stand in the way: bars at the thumb, drawers, and names without room. */
export async function phonesHaveNoBarriers({ open, files, base }) {
  const found = [];
  const file = await files.file('on a phone.txt', 'phone', 'text/plain');
  assert.equal((await files.call('PUT', `/entries/${file}/favourite`)).status, 204);
  const pages = [
    ['/files', '#files [data-name]'],
    [`/files/${files.photos}`, '#files [data-name]'],
    ['/search?q=phone', '#files [data-name]'],
    ['/favourites', '#files [data-name]'],
    ['/recent', '#files'],
    ['/shared/with-me', 'main h1'],
    ['/trash', 'main h1'],
    ['/activity', '[data-activity]'],
    ['/tags', 'main h1'],
    ['/links', 'main h1'],
    ['/settings', 'section ul li'],
    ['/admin', '[data-health]'],
    ['/admin/people', '[data-person]'],
    ['/admin/servers', '[data-server]'],
    ['/admin/settings', '[data-setting]'],
  ];
  for (const look of [looks[0], looks[3]]) {
    const page = await open({ ...look, width: 390, height: 844, touch: true });
    for (const [path, sign] of pages) {
      await page.goto(`${base}${path}`);
      await page.waitForSelector(sign);
      await page.waitForTimeout(300);
      await barriers(page, `390 ${path}`, look, found);
      const beyond = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      if (beyond > 0) found.push(`390 ${path} ${look.language}: reaches ${beyond} px past the edge`);
    }
    await page.goto(`${base}/files`);
    await row(page, 'main.rs').waitFor();
    await page.locator('header button').first().click();
    await page.waitForSelector('[role=dialog] [role=tree]');
    await page.waitForTimeout(300);
    await barriers(page, '390 drawer', look, found);
    await page.context().close();
  }
  assert.deepEqual(found, []);
}

export async function hasNoBarriers({ open, base }) {
  const found = [];
  for (const { theme, language } of looks) {
    const page = await open({ theme, language, signedIn: false });
    const check = (where) => barriers(page, where, { theme, language }, found);
    await page.waitForSelector('input[name=username]');
    await check('sign-in');
    await page.goto(`${base}/register`);
    await page.waitForSelector('input[name=display-name]');
    await check('register');
    await page.goto(`${base}/signin`);
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
    await page.keyboard.press('Control+3');
    await page.waitForSelector('[data-column=active]');
    await page.waitForTimeout(300);
    await check('columns with a file');
    await page.keyboard.press('Home');
    await page.waitForSelector('[data-column=inside]');
    await check('columns with a folder');
    await page.keyboard.press('Control+4');
    // Which of them are in sight depends on what other journeys left here.
    await page.waitForSelector('#files [data-name]');
    await page.waitForTimeout(300);
    await check('gallery');
    await page.keyboard.press('Control+1');
    await row(page, 'main.rs').waitFor();
    await page.focus('#files');
    await page.keyboard.press('Escape');
    await page.click('[data-arrange]');
    await page.click('[data-action=group-kind]');
    await page.waitForTimeout(250);
    await check('groups');
    await page.click('[data-arrange]');
    await page.waitForSelector('[role=menu]');
    await page.waitForTimeout(250);
    await check('arrange menu');
    await page.click('[data-action=group-none]');
    await page.keyboard.press('Control+k');
    await page.waitForTimeout(300);
    await check('palette');
    await page.context().close();
  }
  assert.deepEqual(found, []);
}

export async function staysWithinItsBudgets({ open, base, network }) {
  const assets = join(dist, 'assets');
  const css = [...readFileSync(join(dist, 'index.html'), 'utf8').matchAll(/\/assets\/([^"]+\.css)/g)].map(
    ([, name]) => name,
  );
  const packed = (name) => gzipSync(readFileSync(join(assets, name))).length;
  assert.ok(css.length > 0 && css.reduce((sum, name) => sum + packed(name), 0) <= 15_000, 'style sheet');
  const page = await open();
  await row(page, 'main.rs').waitFor();
  // The page itself says when the list is there: asking it from outside takes longer than the list does.
  await page.addInitScript(() => {
    const look = new MutationObserver(() => {
      if (!document.querySelector('[role=grid] [data-name="main.rs"]')) return;
      look.disconnect();
      performance.mark('list');
    });
    look.observe(document, { childList: true, subtree: true });
  });
  const listAt = async () => {
    await row(page, 'main.rs').waitFor();
    return Math.round(await page.evaluate(() => performance.getEntriesByName('list')[0].startTime));
  };
  // Begun again by somebody who is signed in, as if this browser had nothing of the page and of the files yet.
  const forget = async () => {
    await page.waitForFunction(() => navigator.serviceWorker.controller !== null);
    await page.evaluate(async () => {
      for (const worker of await navigator.serviceWorker.getRegistrations()) await worker.unregister();
      for (const name of await caches.keys()) await caches.delete(name);
      localStorage.clear();
    });
    await page.goto(`${base}/icon.svg`);
    await page.evaluate(async () => {
      const drives = (await indexedDB.databases()).filter(({ name }) => name.startsWith('holdfast-usr_'));
      for (const { name } of drives)
        await new Promise((resolve, reject) =>
          Object.assign(indexedDB.deleteDatabase(name), { onsuccess: resolve, onerror: reject }),
        );
    });
  };
  await forget();
  const scripts = new Set();
  page.on('response', (response) => {
    const path = new URL(response.url()).pathname;
    if (path.startsWith('/assets/') && path.endsWith('.js') && !response.fromServiceWorker())
      scripts.add(path.slice('/assets/'.length));
  });
  await page.goto(`${base}/files`);
  const first = [await listAt()];
  // All that comes counts, also what is fetched beside the list, but for the hands of dragging, which are fetched on purpose
  // a while after the list stands.
  await page.waitForTimeout(250);
  const apart = /^dndAdapters-/;
  const bytes = [...scripts].filter((name) => !apart.test(name)).reduce((sum, name) => sum + packed(name), 0);
  if (process.env.HOLDFAST_E2E_LIST)
    for (const name of [...scripts].sort((a, b) => packed(b) - packed(a))) console.log(`      ${packed(name)} ${name}`);
  console.log(`      script to the first list ${(bytes / 1000).toFixed(1)} kB gzip`);
  assert.ok(bytes <= 170_000, `${bytes} bytes of script`);

  for (let round = 0; round < 2; round += 1) {
    await forget();
    await page.goto(`${base}/files`, { waitUntil: 'commit' });
    first.push(await listAt());
  }
  await page.waitForFunction(() => navigator.serviceWorker.controller !== null);
  await page.waitForTimeout(500);
  const second = [];
  for (let round = 0; round < 3; round += 1) {
    await page.goto('about:blank');
    await page.goto(`${base}/files`, { waitUntil: 'commit' });
    second.push(await listAt());
  }
  console.log(`      list ready after ${first.join(', ')} ms on a first visit, ${second.join(', ')} ms on a second`);
  assert.ok(Math.min(...first) <= 1_500, `first visit: ${first}`);
  assert.ok(Math.min(...second) <= 600, `second visit: ${second}`);
  network.cut = true;
  await page.reload();
  await row(page, 'main.rs').waitFor();
}
