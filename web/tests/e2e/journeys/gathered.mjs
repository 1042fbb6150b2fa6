// Lists of items from many folders: favourites, what is recent, what is shared. They are the drive's, and here without a
// connection too.
import assert from 'node:assert/strict';
import { click, eventually, names, ownFolder, person, row, selected, settled } from '../steps.mjs';

export async function worksInFavouritesAndRecentOffline({ open, files, base, network, out }) {
  const page = await open();
  const folder = await ownFolder(page, files, base, 'Kept close');
  const inner = await files.folder('Inner', folder);
  const ids = {};
  for (const name of ['a.txt', 'b.txt', 'c.txt'])
    ids[name] = await files.file(name, `text of ${name}`, 'text/plain', inner);
  for (const id of [inner, ...Object.values(ids)])
    assert.equal((await files.call('PUT', `/entries/${id}/favourite`)).status, 204);
  const mine = async () => (await names(page)).filter((name) => /^(?:Inner|[abcz]\.txt)$/.test(name));
  await page.click('nav >> text=Favourites');
  await eventually(mine, ['Inner', 'a.txt', 'b.txt', 'c.txt']);

  // Selected as in a folder: with Shift, with Ctrl, and by keys.
  await click(page, 'a.txt');
  await click(page, 'c.txt', { modifiers: ['Shift'] });
  assert.deepEqual(await selected(page), ['a.txt', 'b.txt', 'c.txt']);
  await click(page, 'b.txt', { modifiers: ['Control'] });
  assert.deepEqual(await selected(page), ['a.txt', 'c.txt']);
  await click(page, 'a.txt');
  await page.keyboard.press('ArrowDown');
  assert.deepEqual(await selected(page), ['b.txt']);
  await page.keyboard.press('Space');
  await page.getByRole('dialog').getByText('text of b.txt').waitFor();
  await page.keyboard.press('Escape');
  await page.waitForSelector('[role=dialog]', { state: 'detached' });

  // What is done here or elsewhere shows at once.
  await page.keyboard.press('F2');
  await page.locator('[role=grid] input').fill('z.txt');
  await page.keyboard.press('Enter');
  await eventually(mine, ['Inner', 'a.txt', 'c.txt', 'z.txt']);
  await click(page, 'c.txt', { button: 'right' });
  await page.click('[role=menuitemcheckbox][data-action=favourite]');
  await eventually(mine, ['Inner', 'a.txt', 'z.txt']);
  await page.getByRole('button', { name: 'Undo', exact: true }).last().click();
  await eventually(mine, ['Inner', 'a.txt', 'c.txt', 'z.txt']);
  await page.screenshot({ path: `${out}gathered-favourites.png` });

  // How it is shown is remembered for this list alone.
  await page.click('[role=columnheader] >> text=Name');
  await eventually(mine, ['Inner', 'z.txt', 'c.txt', 'a.txt']);
  await page.click('nav >> text=Recent');
  await row(page, 'z.txt')
    .getByText(/(?:changed|opened) /)
    .waitFor();
  await page.screenshot({ path: `${out}gathered-recent.png` });

  // Without a connection, and after the page was loaded anew.
  await settled(page);
  network.cut = true;
  await page.reload();
  await row(page, 'z.txt').waitFor();
  await row(page, 'z.txt')
    .getByText(/(?:changed|opened) /)
    .waitFor();
  await page.click('nav >> text=Favourites');
  await eventually(mine, ['Inner', 'z.txt', 'c.txt', 'a.txt']);
  await click(page, 'a.txt');
  await page.keyboard.press('Delete');
  await eventually(mine, ['Inner', 'z.txt', 'c.txt']);
  await page.keyboard.press('Control+z');
  await eventually(mine, ['Inner', 'z.txt', 'c.txt', 'a.txt']);
  // What the server alone knows says so.
  await page.click('nav >> text=Shared by me');
  await page.waitForSelector('text=People need a connection.');
  network.cut = false;
  await page.click('text=Try again');
  await page.waitForSelector('text=People need a connection.', { state: 'detached' });
}

export async function showsSharedThingsInEveryWidth({ open, files, base, apiBase, out }) {
  const nora = await person(apiBase, 'nora', 'Nora Константинопольская');
  const liv = await person(apiBase, 'liv', 'Liv Strand');
  const folder = await files.folder('Отчёты о состоянии хранилища за третий квартал');
  const give = (id, role) => files.call('PUT', `/entries/${folder}/grants`, { subject: { kind: 'user', id }, role });
  assert.ok((await give(nora.id, 'editor')).ok && (await give(liv.id, 'viewer')).ok);
  const id = await files.file('Сводка.txt', 'x', 'text/plain', folder);
  assert.equal((await files.call('PUT', `/entries/${id}/favourite`)).status, 204);
  for (const [name, look] of Object.entries({
    'light-en-1440': {},
    'dark-ru-1024': { width: 1024, height: 700, theme: 'dark', language: 'ru' },
    'light-ru-390': { width: 390, height: 800, language: 'ru', touch: true },
  })) {
    const page = await open(look);
    for (const [path, sign] of [
      ['shared/by-me', 'Отчёты о состоянии хранилища за третий квартал'],
      ['favourites', 'Сводка.txt'],
      ['recent', 'Сводка.txt'],
    ]) {
      await page.goto(`${base}/${path}`);
      await row(page, sign).waitFor();
      if (path === 'shared/by-me') await row(page, sign).getByText('Liv Strand').waitFor();
      await page.screenshot({ path: `${out}gathered-${path.replace('/', '-')}-${name}.png` });
    }
    await page.context().close();
  }
}

export async function keepsLongListsShortInThePage({ open, files, base, out }) {
  const most = 60;
  const page = await open();
  await settled(page);
  // Many of each, written into what this browser knows, as if they had been told over time.
  const folder = await files.folder('Crowded');
  await page.evaluate(
    async ({ count, folder, space }) => {
      const name = (await indexedDB.databases()).find((one) => one.name.startsWith('holdfast-usr_')).name;
      const db = await new Promise((done) => (indexedDB.open(name).onsuccess = (event) => done(event.target.result)));
      const change = db.transaction(['notices', 'entries'], 'readwrite');
      for (let at = 0; at < count; at += 1) {
        const time = new Date(1_700_000_000_000 + at * 60_000).toISOString();
        const id = `many${String(at).padStart(6, '0')}`;
        change.objectStore('notices').put({
          id,
          key: id,
          kind: 'uploaded',
          at: time,
          read: at % 2 === 0,
          actor: null,
          name: `Upload ${at}`,
          count: 1,
          to: null,
        });
        change.objectStore('entries').put({
          id: `ent_${id}`,
          space_id: space,
          parent_id: folder,
          name: `Folder ${at}`,
          kind: 'folder',
          revision: 1,
          created_at: time,
          modified_at: time,
        });
      }
      await new Promise((done) => (change.oncomplete = done));
      db.close();
    },
    { count: 2_000, folder, space: files.space },
  );
  await page.reload();
  await page.click('[aria-label^=Notifications]');
  await page.waitForSelector('[data-notice]');
  await page.screenshot({ path: `${out}long-notices.png` });
  assert.ok((await page.locator('[data-notice]').count()) < most, 'notices');
  assert.equal(await page.locator('[data-notice]').first().getAttribute('aria-setsize'), '2000');
  // The end of the list is there when one goes to it.
  await page.locator('[data-notice]').first().hover();
  await page.mouse.wheel(0, 1_000_000);
  await page.locator('[data-notice][aria-posinset="2000"]').waitFor();
  assert.ok((await page.locator('[data-notice]').count()) < most, 'notices at the end');
  await page.keyboard.press('Escape');

  const id = await files.file('to be moved.txt', 'x', 'text/plain', folder);
  await page.goto(`${base}/files/${folder}?show=${id}`);
  await eventually(() => selected(page), ['to be moved.txt']);
  await page.keyboard.press('Control+Shift+M');
  const rows = page.getByRole('dialog').locator('li[aria-setsize="2000"]');
  await rows.first().waitFor();
  await page.screenshot({ path: `${out}long-move.png` });
  assert.ok((await rows.count()) < most, 'folders to move into');
}
