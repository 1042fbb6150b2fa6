// What is to be seen on each picture, and which of the pictures are kept in the repository.
import { png } from '../e2e/seed.mjs';
import { click, dropFiles, row } from '../e2e/steps.mjs';

const ready = (page) => page.waitForSelector('#files');
async function folder({ page, base }, id, view, key) {
  await page.goto(`${base}/files/${id}`);
  await ready(page);
  await page.waitForSelector('[role=grid], [role=tree], [data-empty]').catch(() => undefined);
  if (key) await page.keyboard.press(key);
  await page.waitForTimeout(150);
}
/** Waits until every picture in sight shows itself. */
async function pictured({ page }) {
  await row(page, 'August.jpg').waitFor();
  await page.waitForFunction(() =>
    [...document.querySelectorAll('#files [data-name$=".jpg"]')].every((one) => one.querySelector('img')),
  );
}
const details = (page, open) =>
  page.evaluate((value) => localStorage.setItem('holdfast.inspector', String(value)), open);

/** A finger opens at one tap, a mouse selects and Space looks. */
async function look({ page, phone }, name) {
  const handle = row(page, name).locator('[data-handle]').first();
  if (phone) return handle.tap();
  await handle.click();
  await page.keyboard.press('Space');
}

/** Runs an action of the view by its row in the menu. */
async function arrange({ page, phone }, action) {
  if (phone) await page.locator('header button').last().click();
  else await page.click('[data-arrange]');
  await page.locator(`[role^=menuitem][data-action=${action}]`).click();
}

/** Selects one entry of a folder and opens what there is to know of it. */
async function showDetails(env, folderId, name) {
  await details(env.page, true);
  await folder(env, folderId, 'list', 'Control+1');
  await row(env.page, name).waitFor();
  if (!env.phone) return click(env.page, name);
  // Its menu moves the cursor there and opens nothing. A press may be taken for a tap, which opens.
  const menu = env.page.locator('[role=menu]');
  for (let tries = 0; tries < 3; tries += 1) {
    await row(env.page, name).locator('[data-handle]').first().click({ button: 'right' });
    const opened = await menu.waitFor({ timeout: 3_000 }).then(
      () => true,
      () => false,
    );
    await env.page.keyboard.press('Escape');
    if (opened) break;
  }
  await menu.waitFor({ state: 'detached' });
  await env.page.keyboard.press('Control+i');
}

/** What somebody else writes into a text. */
async function putText({ apiBase, files }, id, text) {
  const headers = { ...files.auth, 'content-type': 'text/markdown' };
  const answer = await fetch(`${apiBase}/api/v1/files/${id}`, { method: 'PUT', headers, body: text });
  if (!answer.ok) throw new Error(await answer.text());
}

async function openShare(env, id) {
  await folder(env, id, 'list', 'Control+1');
  await env.page.focus('#files');
  await env.page.keyboard.press('Alt+s');
  await env.page.waitForSelector('[data-new-link]');
}

/** Settings of the device that every picture begins with. */
export async function prepare(context) {
  await context.addInitScript(() => {
    if (!localStorage.getItem('holdfast.inspector')) localStorage.setItem('holdfast.inspector', 'false');
  });
}

/** Runs inside the page: notices as others and time would make them. */
async function tellSomething(team) {
  const name = (await indexedDB.databases()).find((one) => one.name.startsWith('holdfast-usr_')).name;
  const db = await new Promise((resolve) => (indexedDB.open(name).onsuccess = (event) => resolve(event.target.result)));
  const change = db.transaction(['notices', 'people'], 'readwrite');
  for (const [id, who] of [
    ['usr_mia', 'Mia Larsen'],
    ['usr_grace', 'Grace Okafor'],
    ['usr_lev', 'Лев Константинопольский'],
  ])
    change.objectStore('people').put({ id, name: who });
  const minutes = (count) => new Date(Date.now() - count * 60_000).toISOString();
  const told = [
    {
      kind: 'changes',
      actor: 'usr_mia',
      name: 'Minutes',
      count: 12,
      did: { added: 0, changed: 12, removed: 0, only: null },
      at: minutes(2),
    },
    { kind: 'shared', actor: 'usr_lev', name: 'Планы на весну', count: 1, at: minutes(18) },
    { kind: 'dropped', actor: null, name: 'Показания с постов\nGrace', count: 3, at: minutes(50) },
    {
      kind: 'changes',
      actor: 'usr_grace',
      name: 'Safety',
      count: 1,
      did: { added: 0, changed: 0, removed: 1, only: 'Old checklist.pdf' },
      at: minutes(190),
      read: true,
    },
    { kind: 'uploaded', actor: null, name: 'Photos', count: 248, at: minutes(400), read: true },
    { kind: 'failed', actor: null, name: 'Projects', count: 2, at: minutes(410), read: true },
    { kind: 'team', actor: null, name: 'Harbour team', count: 1, at: minutes(2_000), read: true },
    { kind: 'quota', actor: null, name: '', count: 91, at: minutes(4_000), read: true },
  ];
  for (const [at, one] of told.entries())
    change
      .objectStore('notices')
      .put({ id: `n${at}`, key: `n${at}:${team}`, read: false, to: `/files/${team}`, ...one });
  await new Promise((resolve) => (change.oncomplete = resolve));
  db.close();
}

export const scenes = {
  signin: {
    open: true,
    show: async ({ page, base }) => {
      await page.goto(`${base}/signin`);
      await page.waitForSelector('input[name=username]');
      await page.evaluate(() => document.activeElement?.blur());
    },
  },
  'signin-welcome': {
    open: true,
    show: async ({ page, base }) => {
      const welcome =
        'Фотографии и бумаги портового музея. С вопросами — к Мие, комната 12, по будням с девяти до шести.';
      await page.route('**/public/instance', (route) =>
        route.fulfill({ json: { name: 'Музей Северной гавани', welcome, registration: 'invitation' } }),
      );
      await page.goto(`${base}/signin`);
      await page.getByText(welcome).waitFor();
      await page.evaluate(() => document.activeElement?.blur());
    },
    leave: async ({ page, base }) => {
      await page.unroute('**/public/instance');
      // What the server calls itself is remembered.
      await page.evaluate(() => localStorage.removeItem('holdfast.instance'));
      await page.goto(`${base}/signin`);
    },
  },
  'register-invited': {
    open: true,
    show: async ({ page, base }) => {
      await page.route('**/public/instance', (route) =>
        route.fulfill({ json: { name: 'Holdfast', welcome: '', registration: 'invitation' } }),
      );
      await page.goto(`${base}/register`);
      await page.waitForSelector('[role=alert]');
    },
    leave: async ({ page }) => {
      await page.unroute('**/public/instance');
      await page.evaluate(() => localStorage.removeItem('holdfast.instance'));
    },
  },
  register: {
    open: true,
    show: async ({ page, base }) => {
      await page.goto(`${base}/register`);
      await page.waitForSelector('input[name=display-name]');
      await page.evaluate(() => document.activeElement?.blur());
    },
  },
  list: {
    show: async (env) => {
      await details(env.page, env.width > 1100);
      await folder(env, env.files.root, 'list', 'Control+1');
      await row(env.page, 'tide.rs').waitFor();
      if (!env.phone) {
        await click(env.page, 'Harbour survey.pdf');
        await click(env.page, 'Coastline.jpg');
        await env.page.waitForTimeout(400);
      }
    },
    leave: ({ page }) => details(page, false),
  },
  grid: {
    show: async (env) => {
      await folder(env, env.files.photos, 'grid', 'Control+2');
      await pictured(env);
    },
  },
  'list-groups': {
    show: async (env) => {
      await folder(env, env.files.root, 'list', 'Control+1');
      await env.page.evaluate(() => document.querySelector('#files')?.focus());
      await arrange(env, 'group-kind');
    },
    leave: (env) => arrange(env, 'group-none'),
  },
  columns: {
    show: async (env) => {
      await folder(env, env.files.autumn, 'columns', 'Control+1');
      await env.page.keyboard.press('Control+3');
      await env.page.waitForSelector('[data-column=active]');
      await env.page.keyboard.press('Home');
      await env.page.keyboard.press('ArrowDown');
      await env.page.waitForTimeout(300);
    },
    leave: ({ page }) => page.keyboard.press('Control+1'),
  },
  'columns-picture': {
    show: async (env) => {
      await folder(env, env.files.photos, 'columns', 'Control+1');
      await env.page.keyboard.press('Control+3');
      await env.page.waitForSelector('[data-column=active]');
      await env.page.keyboard.press('Home');
      await env.page.keyboard.press('ArrowDown');
      await env.page.keyboard.press('ArrowDown');
      await env.page.waitForTimeout(500);
    },
    leave: ({ page }) => page.keyboard.press('Control+2'),
  },
  gallery: {
    show: async (env) => {
      await folder(env, env.files.photos, 'gallery', 'Control+4');
      await env.page.waitForSelector('#files [data-name]');
      await env.page.focus('#files');
      for (let at = 0; at < 5; at += 1) await env.page.keyboard.press('ArrowRight');
      await env.page.waitForTimeout(700);
    },
    leave: ({ page }) => page.keyboard.press('Control+2'),
  },
  'arrange-menu': {
    show: async (env) => {
      await folder(env, env.files.root, 'list', 'Control+1');
      if (env.phone) await env.page.locator('header button').last().click();
      else await env.page.click('[data-arrange]');
      await env.page.waitForSelector('[role=menu]');
    },
    leave: ({ page }) => page.keyboard.press('Escape'),
  },
  'quick-look-picture': {
    show: async (env) => {
      await folder(env, env.files.photos, 'grid', 'Control+2');
      await pictured(env);
      await look(env, 'Breakwater.jpg');
      await env.page.waitForSelector('[role=dialog] img');
      await env.page.waitForTimeout(300);
    },
    leave: ({ page }) => page.keyboard.press('Escape'),
  },
  'quick-look-text': {
    show: async (env) => {
      await folder(env, env.files.root, 'list', 'Control+1');
      await look(env, 'Field notes.md');
      await env.page.waitForSelector('[role=dialog] .markdown h1');
    },
    leave: ({ page }) => page.keyboard.press('Escape'),
  },
  'quick-look-table': {
    show: async (env) => {
      await folder(env, env.files.root, 'list', 'Control+1');
      await look(env, 'Stations.csv');
      await env.page.waitForSelector('[role=dialog] [data-table]');
    },
    leave: ({ page }) => page.keyboard.press('Escape'),
  },
  'quick-look-facts': {
    show: async (env) => {
      await folder(env, env.files.photos, 'grid', 'Control+2');
      await pictured(env);
      await look(env, 'Breakwater.jpg');
      await env.page.click('[data-look-facts]');
      await env.page.waitForSelector('[role=dialog] [data-picture-facts]');
    },
    leave: ({ page }) => page.keyboard.press('Escape'),
  },
  'edit-text': {
    show: async (env) => {
      await folder(env, env.files.root, 'list', 'Control+1');
      await look(env, 'Field notes.md');
      await env.page.click('[data-edit-text]');
      await env.page.waitForSelector('[data-editor] textarea');
    },
    leave: ({ page }) => page.keyboard.press('Escape'),
  },
  'move-to': {
    show: async (env) => {
      await folder(env, env.files.root, 'list', 'Control+1');
      await row(env.page, 'Field notes.md').locator('[data-handle]').first().click({ button: 'right' });
      await env.page.locator('[role=menuitem][data-action=move-to]').click();
      await env.page.click('[data-spaces]');
      await env.page.waitForSelector('[data-space="Harbour team"]');
    },
    leave: ({ page }) => page.keyboard.press('Escape'),
  },
  menu: {
    show: async (env) => {
      await folder(env, env.files.root, 'list', 'Control+1');
      await row(env.page, 'Field notes.md').locator('[data-handle]').first().click({ button: 'right' });
      await env.page.waitForSelector('[role=menu]');
    },
    leave: ({ page }) => page.keyboard.press('Escape'),
  },
  palette: {
    show: async (env) => {
      await folder(env, env.files.root, 'list', 'Control+1');
      await env.page.keyboard.press('Control+k');
      await env.page.waitForSelector('[role=combobox]');
      await env.page.keyboard.type('st');
      await env.page.waitForSelector('[role=option]');
    },
    leave: ({ page }) => page.keyboard.press('Escape'),
  },
  search: {
    show: async (env) => {
      await env.page.goto(`${env.base}/search?q=${encodeURIComponent('st kind:pdf,document,text,archive,image')}`);
      await env.page.waitForSelector('#files [data-name]');
      await env.page.waitForTimeout(400);
    },
  },
  'search-tags': {
    show: async (env) => {
      const tags = (await (await env.files.call('GET', `/spaces/${env.files.space}/tags`)).json()).items;
      const query = tags.filter((tag) => ['Urgent', 'For the board'].includes(tag.name)).map((tag) => `tag:${tag.id}`);
      await env.page.goto(`${env.base}/search?q=${encodeURIComponent(query.join(' '))}`);
      await env.page.waitForSelector('#files [data-name]');
    },
  },
  tags: {
    show: async (env) => {
      await env.page.goto(`${env.base}/tags`);
      await env.page.waitForSelector('[data-tag-row=Urgent]');
      await env.page.waitForTimeout(400);
    },
  },
  'tag-merge': {
    show: async (env) => {
      await env.page.goto(`${env.base}/tags`);
      await env.page.click('[data-tag-row=Urgent] button');
      await env.page.click('[data-action=tag-merge]');
      await env.page.waitForSelector('[data-into]');
    },
    leave: ({ page }) => page.keyboard.press('Escape'),
  },
  bell: {
    show: async (env) => {
      await env.page.goto(`${env.base}/files`);
      await env.page.waitForSelector('#files [data-name]');
      await env.page.evaluate(tellSomething, env.files.team.root_id);
      // What is written past the page is seen by it once it looks again.
      await env.page.reload();
      await env.page.waitForSelector('#files [data-name]');
      await env.page.waitForSelector('[data-unread], [data-unread-dot]');
      if (env.phone) await env.page.click('header button');
      await env.page.click('[data-bell]');
      await env.page.waitForSelector('[data-notice]');
      await env.page.waitForTimeout(300);
    },
    leave: ({ page }) => page.keyboard.press('Escape'),
  },
  'search-help': {
    show: async (env) => {
      await env.page.goto(`${env.base}/search`);
      await env.page.waitForSelector('[data-example=kind]');
    },
  },
  'search-menu': {
    show: async (env) => {
      await env.page.goto(`${env.base}/search?q=${encodeURIComponent('kind:image modified:week')}`);
      await env.page.waitForSelector('#files [data-name]');
      await env.page.click('[data-filter=kind]');
      await env.page.waitForSelector('[role=menu]');
    },
    leave: ({ page }) => page.keyboard.press('Escape'),
  },
  'search-nothing': {
    show: async (env) => {
      await env.page.goto(`${env.base}/search?q=${encodeURIComponent('zebra size:>1GB owner:me')}`);
      await env.page.waitForSelector('text=/Nothing found|Ничего не найдено/');
    },
  },
  empty: { show: (env) => folder(env, env.files.empty, 'list', 'Control+1') },
  versions: {
    show: async (env) => {
      await showDetails(env, env.files.root, 'Field notes.md');
      await env.page.waitForSelector('[data-version]');
      await env.page.locator('[data-version]').first().scrollIntoViewIfNeeded();
    },
    leave: async ({ page }) => {
      await page.keyboard.press('Escape');
      await details(page, false);
    },
  },
  uploads: {
    show: async (env) => {
      // Uploads outlive the page: each picture has a folder of its own.
      await folder(
        env,
        await env.files.folder(`Flights ${Math.random().toString(36).slice(2, 5)}`, env.files.projects),
        'list',
        'Control+1',
      );
      env.network.bytesPerSecond = 400_000;
      await dropFiles(env.page, 'main', [
        { name: 'Drone, second flight.mp4', size: 30_000_000, type: 'video/mp4' },
        { name: 'Sediment samples.xlsx', size: 1_200_000 },
        { name: 'Letter.odt', size: 24_000 },
        { name: 'North bay panorama.jpg', size: 6_000_000, type: 'image/jpeg' },
      ]);
      await env.page.waitForSelector('[data-upload][data-state=sending]');
      await env.page.waitForTimeout(1_600);
    },
    leave: async ({ page, network }) => {
      network.bytesPerSecond = null;
      await page
        .locator('section', { has: page.locator('[data-upload]') })
        .locator('header button')
        .last()
        .click();
      await page.waitForSelector('[data-upload]', { state: 'detached' });
    },
  },
  review: {
    show: async (env) => {
      const { page, network, files } = env;
      const shared = await files.folder('Winter plans');
      const plan = await files.file('Tide plan.md', 'x', 'text/markdown', shared);
      await files.file('Winter schedule.xlsx', 'x', 'text/plain', shared);
      const notes = await files.file('Station 4 notes.md', 'x', 'text/markdown', shared);
      await folder(env, shared, 'list', 'Control+1');
      await row(page, 'Winter schedule.xlsx').waitFor();
      network.cut = true;
      const rename = async (from, to) => {
        await row(page, from).locator('[data-handle]').first().click({ button: 'right' });
        await page.click('[role=menuitem][data-action=rename]');
        await page.locator('[role=grid] input').fill(to);
        await page.keyboard.press('Enter');
        await row(page, to).waitFor();
      };
      await rename('Tide plan.md', 'Tide plan, final.md');
      await rename('Winter schedule.xlsx', 'Winter schedule 2027.xlsx');
      await row(page, 'Station 4 notes.md').locator('[data-handle]').first().click({ button: 'right' });
      await page.click('[role=menuitem][data-action=delete]');
      await files.call('PATCH', `/entries/${plan}`, { name: 'Tide plan v2.md' });
      await putText(env, notes, 'new words');
      await files.folder('Calibration', shared);
      await files.folder('Photos from the pier', shared);
      network.cut = false;
      if (env.phone) await page.locator('[role=toolbar] button').first().click();
      await page.waitForSelector('[data-review]', { timeout: 30_000 });
      // The messages of this moment are gone, the review is not.
      await page.reload();
      await page.click('[data-review]');
      await page.waitForSelector('[data-review-done]');
    },
    leave: async ({ page, files }) => {
      await page.click('[data-review-done]');
      for (const item of (await (await files.call('GET', `/folders/${files.root}/children?limit=100`)).json()).items)
        if (item.name === 'Winter plans') await files.call('DELETE', `/entries/${item.id}?permanent=true`);
    },
  },
  'review-texts': {
    show: async (env) => {
      const { page, network, files } = env;
      const lines = [
        '# Station 4',
        '',
        'Checked every Monday at low water.',
        '',
        '- Gauge: 2.41 m',
        '- Battery: 12.6 V',
        '- Mast light: works',
        '',
        'Next visit with Grace.',
        '',
      ];
      const shared = await files.folder('Log of the stations');
      const log = await files.file('Station 4 log.md', lines.join('\n'), 'text/markdown', shared);
      await folder(env, shared, 'list', 'Control+1');
      await row(page, 'Station 4 log.md').waitFor();
      await look(env, 'Station 4 log.md');
      await page.locator('[role=dialog]').getByText('Next visit').waitFor();
      await page.click('[data-edit-text]');
      await page.locator('[role=dialog] textarea').waitFor();
      network.cut = true;
      // The page has to have noticed. A phone has no room to say so beside the text.
      if (env.phone) await page.waitForTimeout(8_000);
      else await page.locator('[data-sync]', { hasText: /Offline|Нет соединения/ }).waitFor({ timeout: 60_000 });
      const mine = lines.with(4, '- Gauge: 2.44 m, read twice').with(8, 'Next visit with Grace and Lev.');
      await page.locator('[role=dialog] textarea').fill(mine.join('\n'));
      await page.click('[data-save-text]');
      await page.locator('[data-editor]').waitFor({ state: 'detached' });
      await page.keyboard.press('Escape');
      await putText(env, log, lines.with(4, '- Gauge: 2.40 m').with(5, '- Battery: 12.1 V, to be changed').join('\n'));
      network.cut = false;
      await page.click('[data-review]', { timeout: 60_000 });
      await page.waitForSelector('[data-keep-mine]');
      // That it is kept here was said before it was sent.
      await page.waitForFunction(() => document.querySelectorAll('[data-tone]').length === 0);
    },
    leave: async ({ page, files }) => {
      await page.click('[data-keep-mine]');
      await page.waitForSelector('[data-keep-mine]', { state: 'detached' });
      const done = page.locator('[data-review-done]');
      if ((await done.count()) > 0) await done.click();
      // Sent before its file goes, or it would meet that as well.
      await page.locator('[data-sync]', { hasText: /Up to date|Всё сохранено/ }).waitFor();
      for (const item of (await (await files.call('GET', `/folders/${files.root}/children?limit=100`)).json()).items)
        if (item.name === 'Log of the stations') await files.call('DELETE', `/entries/${item.id}?permanent=true`);
    },
  },
  share: {
    show: async (env) => {
      await openShare(env, env.files.photos);
      await env.page.waitForSelector('[data-link]');
      await env.page.locator('[role=dialog] [data-link]').first().getByRole('button').last().click();
      await env.page.click('[role=menuitem][data-action=link-events]');
      await env.page.waitForSelector('[data-event]');
    },
    leave: ({ page }) => page.keyboard.press('Escape'),
  },
  'share-new': {
    show: async (env) => {
      await openShare(env, env.files.photos);
      await env.page.click('[data-new-link]');
      await env.page.locator('[role=dialog] input[type=checkbox]').first().check();
      await env.page.locator('[role=dialog] form select').selectOption('custom');
      await env.page.evaluate(() => document.activeElement?.blur());
    },
    leave: ({ page }) => page.keyboard.press('Escape'),
  },
  'share-qr': {
    show: async (env) => {
      await openShare(env, env.files.autumn);
      await env.page.waitForSelector('[data-link]');
      await env.page.locator('[role=dialog] [data-link]').first().getByRole('button').last().click();
      await env.page.click('[role=menuitem][data-action=link-qr]');
      await env.page.waitForSelector('[role=dialog] figure');
    },
    leave: ({ page }) => page.keyboard.press('Escape'),
  },
  team: {
    show: async (env) => {
      await folder(env, env.files.team.root_id, 'list', 'Control+1');
      await row(env.page, 'Berths').waitFor();
    },
  },
  members: {
    show: async (env) => {
      await folder(env, env.files.team.root_id, 'list', 'Control+1');
      await row(env.page, 'Berths').waitFor();
      await env.page.focus('#files');
      await env.page.keyboard.press('Alt+s');
      await env.page.waitForSelector('[data-grant]');
    },
    leave: ({ page }) => page.keyboard.press('Escape'),
  },
  'share-people': {
    show: async (env) => {
      await openShare(env, env.files.photos);
      await env.page.fill('input[name=people]', 'g');
      await env.page.waitForSelector('[data-person]');
    },
    leave: async ({ page }) => {
      await page.keyboard.press('Escape');
      await page.keyboard.press('Escape');
    },
  },
  favourites: {
    show: async ({ page, base }) => {
      await page.goto(`${base}/favourites`);
      await page.waitForSelector('#files [data-name="Field notes.md"]');
      await page.waitForTimeout(400);
    },
  },
  recent: {
    show: async ({ page, base }) => {
      await page.goto(`${base}/recent`);
      await page.waitForSelector('#files [data-name]');
      await page.waitForTimeout(400);
    },
  },
  picked: {
    show: async (env) => {
      await folder(env, env.files.photos, 'grid', 'Control+2');
      await pictured(env);
      if (env.phone) await arrange(env, 'pick');
      for (const name of ['August.jpg', 'Before the rain.jpg', 'Clear night.jpg']) {
        const handle = row(env.page, name).locator('[data-handle]').first();
        if (env.phone) await handle.tap();
        else await handle.click({ modifiers: ['Control'] });
      }
    },
    leave: ({ page }) => page.keyboard.press('Escape'),
  },
  'shared-with-me': {
    show: async ({ page, base }) => {
      await page.goto(`${base}/shared/with-me`);
      await page.waitForSelector('#files [data-name]');
    },
  },
  'shared-by-me': {
    show: async ({ page, base }) => {
      await page.goto(`${base}/shared/by-me`);
      await page.waitForSelector('#files [data-name]');
    },
  },
  'read-only': {
    show: async (env) => {
      await folder(env, env.files.read.id, 'list', 'Control+1');
      await env.page.waitForSelector('[data-read-only]');
      await row(env.page, 'Anchor log').locator('[data-handle]').first().click({ button: 'right' });
      await env.page.waitForSelector('[role=menu]');
    },
    leave: ({ page }) => page.keyboard.press('Escape'),
  },
  kept: {
    show: async (env) => {
      await folder(env, env.files.root, 'list', 'Control+1');
      for (const name of ['Documents', 'Field notes.md']) {
        await row(env.page, name).locator('[data-handle]').first().click({ button: 'right' });
        const line = env.page.locator('[data-action=keep-offline]');
        if ((await line.getAttribute('aria-checked')) === 'true') await env.page.keyboard.press('Escape');
        else await line.click();
      }
      await row(env.page, 'Field notes.md').locator('[data-kept=kept]').waitFor();
      await env.page.waitForTimeout(7_000);
    },
  },
  'kept-settings': {
    show: async ({ page, base }) => {
      await page.goto(`${base}/settings`);
      await page.locator('[data-keep]').scrollIntoViewIfNeeded();
      await page.locator('[data-keep]').getByText('Documents').waitFor();
      await page.waitForTimeout(600);
    },
  },
  links: {
    show: async ({ page, base }) => {
      await page.goto(`${base}/links`);
      await page.waitForSelector('[data-link]');
    },
  },
  trash: {
    show: async ({ page, base }) => {
      await page.goto(`${base}/trash`);
      await page.waitForSelector('[data-trashed]');
    },
  },
  'trash-team': {
    show: async ({ page, base, files }) => {
      await page.route('**/trash/emptying*', (route) =>
        route.fulfill({
          json: {
            space_id: files.team.id,
            state: 'running',
            job_id: null,
            entries_total: 1_840,
            entries_left: 612,
            trees_left: 3,
          },
        }),
      );
      await page.goto(`${base}/trash?space=${files.team.id}`);
      await page.waitForSelector('[data-trashed]');
      await page.waitForSelector('[data-emptying]');
    },
    leave: ({ page }) => page.unroute('**/trash/emptying*'),
  },
  history: {
    show: async (env) => {
      await showDetails(env, env.files.team.root_id, 'Berth plan, winter.txt');
      await env.page.waitForSelector('[data-activity]');
      await env.page.locator('[data-history]').scrollIntoViewIfNeeded();
    },
    leave: async ({ page }) => {
      await page.keyboard.press('Escape');
      await details(page, false);
    },
  },
  activity: {
    show: async ({ page, base }) => {
      await page.goto(`${base}/activity`);
      await page.waitForSelector('[data-activity]');
    },
  },
  settings: {
    show: async ({ page, base }) => {
      await page.goto(`${base}/settings`);
      await page.waitForSelector('section ul li');
    },
  },
  'picture-crop': {
    show: async ({ page, base }) => {
      await page.goto(`${base}/settings`);
      await page.locator('[data-picture] ~ input[type=file]').setInputFiles({
        name: 'me.png',
        mimeType: 'image/png',
        buffer: png(900, 600, [250, 180, 130], [50, 80, 150]),
      });
      await page.waitForSelector('[data-crop]');
      await page.locator('[role=dialog] input[type=range]').fill('1.6');
    },
    leave: ({ page }) => page.keyboard.press('Escape'),
  },
  servers: {
    show: async ({ page, base }) => {
      await page.goto(`${base}/admin/servers`);
      await page.waitForSelector('[data-server]');
    },
  },
  'admin-health': {
    show: async ({ page, base }) => {
      await page.goto(`${base}/admin`);
      await page.waitForSelector('[data-tile=spaces] [data-bar]');
    },
  },
  'admin-plans': {
    show: async ({ page, base }) => {
      await page.goto(`${base}/admin/plans`);
      await page.waitForSelector('[data-plan]');
    },
  },
  'admin-plan': {
    show: async ({ page, base }) => {
      await page.goto(`${base}/admin/plans`);
      await page.click('[data-plan=Guests] button');
      await page.fill('input[name=storage_bytes]', '1');
      await page.fill('input[name=members]', '1');
      await page.waitForSelector('[data-effect]');
      await page.mouse.move(0, 0);
    },
    leave: ({ page }) => page.keyboard.press('Escape'),
  },
  'admin-spaces': {
    show: async ({ page, base }) => {
      await page.goto(`${base}/admin/spaces`);
      await page.waitForSelector('[data-space]');
    },
  },
  'admin-space': {
    show: async ({ page, base }) => {
      await page.goto(`${base}/admin/spaces`);
      await page.click('[data-space=Administrator] button');
      await page.waitForSelector('[role=dialog] figure');
    },
    leave: ({ page }) => page.keyboard.press('Escape'),
  },
  'admin-uploads': {
    show: async ({ page, base }) => {
      await page.goto(`${base}/admin/spaces/uploads`);
      await page.waitForSelector('[data-upload]');
    },
  },
  'admin-settings': {
    show: async ({ page, base }) => {
      await page.goto(`${base}/admin/settings`);
      await page.waitForSelector('[data-setting]');
    },
  },
  'admin-jobs': {
    show: async ({ page, base }) => {
      await page.goto(`${base}/admin/jobs`);
      await page.waitForSelector('main section p');
    },
  },
  'admin-zones': {
    show: async ({ page, base }) => {
      await page.goto(`${base}/admin/zones`);
      await page.waitForSelector('[data-map]');
    },
  },
  people: {
    show: async ({ page, base }) => {
      await page.goto(`${base}/admin/people`);
      await page.waitForSelector('[data-person]');
    },
  },
  'people-groups': {
    show: async ({ page, base }) => {
      await page.goto(`${base}/admin/people/groups`);
      await page.waitForSelector('[data-group]');
    },
  },
  'people-invitations': {
    show: async ({ page, base }) => {
      await page.goto(`${base}/admin/people/invitations`);
      await page.waitForSelector('[data-invitation]');
    },
  },
  'people-log': {
    show: async ({ page, base }) => {
      await page.goto(`${base}/admin/people/log`);
      await page.waitForSelector('main section li, main section tr');
    },
  },
  'password-forgotten': {
    open: true,
    show: async ({ page, base }) => {
      await page.goto(`${base}/forgot-password`);
      await page.waitForSelector('form, [role=alert]');
      await page.evaluate(() => document.activeElement?.blur());
    },
  },
  nothing: {
    open: true,
    show: async ({ page, base }) => {
      await page.goto(`${base}/nowhere`);
      await page.waitForSelector('main');
    },
  },
  'public-pictures': {
    open: true,
    show: async ({ page, base, files }) => {
      await page.goto(`${base}/s/${files.links.photos.token}`);
      await page.waitForSelector('ul[data-view=grid] img');
      await page.waitForFunction(() =>
        [...document.querySelectorAll('ul[data-view=grid] [data-name$=".jpg"]')]
          .filter((one) => one.getBoundingClientRect().top < innerHeight)
          .every((one) => one.querySelector('img')),
      );
    },
  },
  'public-list': {
    open: true,
    show: async ({ page, base, files }) => {
      await page.goto(`${base}/s/${files.links.report.token}`);
      await page.waitForSelector('ul[data-view=list]');
    },
  },
  'public-picture': {
    open: true,
    show: async ({ page, base, files }) => {
      await page.goto(`${base}/s/${files.links.photos.token}`);
      await page.click('a[data-name="Embers.jpg"]');
      await page.waitForSelector('main section img');
      await page.waitForTimeout(500);
    },
  },
  'public-gate': {
    open: true,
    show: async ({ page, base, files }) => {
      await page.goto(`${base}/s/${files.links.counted.token}`);
      await page.waitForSelector('[data-show]');
    },
  },
  'public-password': {
    open: true,
    show: async ({ page, base, files }) => {
      await page.goto(`${base}/s/${files.links.locked.token}`);
      await page.waitForSelector('input[name=password]');
      await page.evaluate(() => document.activeElement?.blur());
    },
  },
  'public-drop': {
    open: true,
    show: async ({ page, base, files, network }) => {
      await page.goto(`${base}/s/${files.links.box.token}`);
      await page.waitForSelector('[data-dropzone]');
      await page.fill('input[name=visitor]', 'Grace');
      network.bytesPerSecond = 400_000;
      await page.route(/name=Station/, (route) =>
        route.fulfill({
          status: 507,
          contentType: 'application/problem+json',
          body: JSON.stringify({ code: 'quota-exceeded', detail: 'The space of the owner is full.' }),
        }),
      );
      await dropFiles(page, '[data-dropzone]', [
        { name: 'Drone, second flight.mp4', size: 9_000_000, type: 'video/mp4' },
        { name: 'Letter.odt', size: 2_400 },
        { name: 'Station 4, readings.xlsx', size: 31_000 },
        { name: 'North bay panorama.jpg', size: 4_000_000, type: 'image/jpeg' },
      ]);
      await page.waitForSelector('[data-drop][data-state=failed]');
      await page.waitForTimeout(1_800);
      await page.evaluate(() => document.activeElement?.blur());
    },
    leave: async ({ page, network }) => {
      network.bytesPerSecond = null;
      page.once('dialog', (dialog) => dialog.accept());
      await page.goto('about:blank');
    },
  },
  'public-gone': {
    open: true,
    show: async ({ page, base }) => {
      await page.goto(`${base}/s/AAAAAAAAAAAAAAAAAAAAAA`);
      await page.waitForSelector('[data-end]');
    },
  },
  components: {
    open: true,
    show: async ({ page, base }) => {
      await page.goto(`${base}/ui`);
      await page.waitForSelector('main section');
    },
  },
};
