// People with roles, and spaces of teams: several browsers, one for each person.
import AxeBuilder from '@axe-core/playwright';
import assert from 'node:assert/strict';
import {
  click,
  dropFiles,
  eventually,
  names,
  onServer,
  openFolder,
  ownFolder,
  person,
  row,
  signIn,
} from '../steps.mjs';

const dialog = (page) => page.locator('[role=dialog]');
const password = 'long-enough-1';

async function browserOf(open, who) {
  const page = await open({ signedIn: false });
  await signIn(page, who.name, password);
  return page;
}
async function add(page, query, wanted, role) {
  await page.fill('input[name=people]', query);
  await page.locator(`[data-person="${wanted}"]`).click();
  if (role) await dialog(page).getByLabel('Role', { exact: true }).selectOption(role);
  await page.click('[data-add-people]');
  await dialog(page).locator(`[data-grant="${wanted}"]`).waitFor();
}

export async function sharesAFolderWithSomebody({ open, files, base, apiBase }) {
  const mia = await person(apiBase, 'mia', 'Mia Larsen');
  const page = await open();
  const folder = await ownFolder(page, files, base, 'Tide tables');
  const inner = await files.folder('Winter', folder);
  await files.file('January.csv', 'a,b\n', 'text/csv', inner);
  await row(page, 'Winter').waitFor();
  await page.focus('#files');
  await page.keyboard.press('Alt+s');
  await add(page, 'lars', 'Mia Larsen', 'viewer');
  await page.keyboard.press('Escape');

  // She sees it at once, may look at all of it and change nothing.
  const hers = await browserOf(open, mia);
  await hers.getByRole('link', { name: 'Shared with me' }).click();
  await row(hers, 'Tide tables').getByText('Administrator').waitFor();
  await row(hers, 'Tide tables').getByText('Can view').waitFor();
  await openFolder(hers, 'Tide tables');
  await row(hers, 'Winter').waitFor();
  await hers.waitForSelector('[data-read-only]');
  await click(hers, 'Winter', { button: 'right' });
  for (const action of ['rename', 'delete', 'move-to', 'cut']) {
    const line = hers.locator(`[role=menuitem][data-action=${action}]`);
    assert.equal(await line.getAttribute('data-disabled'), '', action);
    assert.equal(await line.getAttribute('title'), 'You can view this folder, but not change it.');
  }
  await hers.keyboard.press('Escape');
  await hers.focus('#files');
  await hers.keyboard.press('Delete');
  await hers.getByText('You can view this folder, but not change it.', { exact: true }).waitFor();
  await dropFiles(hers, 'main', [{ name: 'sneaked.txt', size: 3 }]);
  await row(hers, 'Winter').dblclick();
  await row(hers, 'January.csv').waitFor();
  await eventually(
    () =>
      hers
        .locator('nav[aria-label=Path] li')
        .allInnerTexts()
        .then((all) => all.filter(Boolean)),
    ['Tide tables', 'Winter'],
    'the way begins where her part does',
  );
  // She sees who shares, but has no say in it, and makes no links.
  await hers.keyboard.press('Alt+s');
  await dialog(hers).getByText('Only managers decide who gets in.').waitFor();
  await dialog(hers).getByText('Only editors make links.').waitFor();
  await hers.keyboard.press('Escape');

  // As an editor she changes it, and her work is there for its owner.
  await page.focus('#files');
  await page.keyboard.press('Alt+s');
  await dialog(page).getByLabel('Role of Mia Larsen', { exact: true }).selectOption('editor');
  await eventually(
    async () => (await (await files.call('GET', `/entries/${folder}/grants`)).json()).items[0]?.role,
    'editor',
    'the role is changed',
  );
  await page.keyboard.press('Escape');
  await hers.reload();
  await row(hers, 'January.csv').waitFor();
  await hers.waitForSelector('[data-read-only]', { state: 'detached' });
  await click(hers, 'January.csv');
  await hers.keyboard.press('F2');
  await hers.locator('[role=grid] input').fill('January 2027.csv');
  await hers.keyboard.press('Enter');
  await eventually(() => onServer(files, inner), ['January 2027.csv'], 'her change arrives');
  assert.deepEqual(await onServer(files, folder), ['Winter']);

  // It stands among what is shared by its owner. Taken back, it is gone for her, from this device too.
  await page.getByRole('link', { name: 'Shared by me' }).click();
  await row(page, 'Tide tables').getByText('Mia Larsen').waitFor();
  await click(page, 'Tide tables');
  await page.keyboard.press('Alt+s');
  await dialog(page).locator('[data-grant="Mia Larsen"]').getByRole('button').last().click();
  await page.click('[role=menuitem][data-action=grant-remove]');
  await dialog(page).locator('[data-grant="Mia Larsen"]').waitFor({ state: 'detached' });
  await page.keyboard.press('Escape');
  await row(page, 'Tide tables').waitFor({ state: 'detached' });
  await hers.locator('p', { hasText: 'This folder is not here any more' }).waitFor({ timeout: 30_000 });
  await hers.getByRole('link', { name: 'Shared with me' }).click();
  await row(hers, 'Tide tables').waitFor({ state: 'detached' });
}

export async function sharesOneFileAndLetsPeopleLeave({ open, files, base, apiBase, out }) {
  const mia = await person(apiBase, 'mia', 'Mia Larsen');
  const page = await open();
  const folder = await ownFolder(page, files, base, 'Letters out');
  const letter = await files.file('letter.txt', 'Dear Mia', 'text/plain', folder);
  await files.file('diary.txt', 'Dear nobody', 'text/plain', folder);
  const given = await files.call('PUT', `/entries/${letter}/grants`, {
    subject: { kind: 'user', id: mia.id },
    role: 'viewer',
    expires_at: new Date(Date.now() + 3 * 86_400_000).toISOString(),
  });
  assert.equal(given.status, 201);
  // The end may be any day, and means the whole of it.
  await row(page, 'letter.txt').waitFor();
  await click(page, 'letter.txt');
  await page.keyboard.press('Alt+s');
  await dialog(page).locator('[data-grant="Mia Larsen"]').getByRole('button').last().click();
  await page.click('[role=menuitem][data-action=grant-date]');
  const day = new Date(Date.now() + 3 * 86_400_000).toISOString().slice(0, 10);
  await page.fill('input[name=grant-day]', day);
  await page.screenshot({ path: `${out}people-end.png` });
  await page.locator('[data-grant-end] button[type=submit]').click();
  await page.waitForSelector('[data-grant-end]', { state: 'detached' });
  const end = async () => (await (await files.call('GET', `/entries/${letter}/grants`)).json()).items[0].expires_at;
  await eventually(
    async () => Math.round(new Date(await end()).getTime() / 1000),
    Math.round(new Date(`${day}T23:59:59`).getTime() / 1000),
    'the end of that day',
  );
  await page.keyboard.press('Escape');
  const hers = await browserOf(open, mia);
  await hers.getByRole('link', { name: 'Shared with me' }).click();
  const line = row(hers, 'letter.txt');
  await line.getByText(/ends in [34] days/).waitFor();
  await line.dblclick({ position: { x: 60, y: 12 } });
  await dialog(hers).locator('pre', { hasText: 'Dear Mia' }).waitFor();
  await hers.keyboard.press('Escape');
  await hers.keyboard.press('Control+k');
  await hers.keyboard.type('diary');
  await hers.waitForSelector('text=Nothing by that name');
  await hers.keyboard.press('Escape');
  await click(hers, 'letter.txt');
  await hers.keyboard.press('Alt+s');
  await dialog(hers).locator('[data-grant="Mia Larsen"]').getByRole('button').last().click();
  await hers.click('[role=menuitem][data-action=grant-leave]');
  await hers.getByText('You have left “letter.txt”', { exact: true }).waitFor();
  await line.waitFor({ state: 'detached' });
  assert.equal((await mia.call('GET', `/entries/${letter}`)).status, 404);
}

export async function worksTogetherInATeamSpace({ open, base, apiBase }) {
  const mia = await person(apiBase, 'mia', 'Mia Larsen');
  // High enough for the folders that other journeys left in the sidebar.
  const page = await open({ height: 4_000 });
  await page.click('[data-new-space]');
  await page.fill('input[name=space-name]', 'Harbour team');
  await page.keyboard.press('Enter');
  await page.waitForFunction(() => document.querySelector('nav h1')?.textContent?.trim() === 'Harbour team');
  const node = (on, name) => on.getByRole('treeitem', { name: new RegExp(`^${name}`) });
  await node(page, 'Harbour team').waitFor();
  await page.focus('#files');
  await page.keyboard.press('Alt+n');
  await page.locator('[role=grid] input').fill('Berths');
  await page.keyboard.press('Enter');
  await row(page, 'Berths').waitFor();
  await node(page, 'Harbour team').getByRole('button').click();
  await page.click('[role=menuitem][data-action=space-members]');
  await dialog(page).getByText('Members of “Harbour team”').waitFor();
  await add(page, 'mia', 'Mia Larsen', 'editor');
  await page.keyboard.press('Escape');

  const hers = await browserOf(open, mia);
  await node(hers, 'Harbour team').click();
  await row(hers, 'Berths').waitFor();
  await row(hers, 'Berths').dblclick();
  await dropFiles(hers, 'main', [{ name: 'Berth 4.txt', size: 5, type: 'text/plain' }]);
  await row(hers, 'Berth 4.txt').waitFor();
  await row(page, 'Berths').dblclick();
  await eventually(() => names(page), ['Berth 4.txt'], 'what one adds the other sees', 15_000);

  await node(page, 'Harbour team').getByRole('button').click();
  await page.click('[role=menuitem][data-action=space-rename]');
  await page.fill('input[name=space-name]', 'Harbour crew');
  await page.keyboard.press('Enter');
  await node(page, 'Harbour crew').waitFor();
  await eventually(
    () => page.locator('nav[aria-label=Path] a').first().innerText(),
    'Harbour crew',
    'the way says the new name',
  );
  const { violations } = await new AxeBuilder({ page })
    .withTags(['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'])
    .analyze();
  assert.deepEqual(
    violations.map((one) => `${one.id} ${one.nodes[0]?.target}`),
    [],
  );

  // Who is no member any more has nothing of it left.
  await node(page, 'Harbour crew').getByRole('button').click();
  await page.click('[role=menuitem][data-action=space-members]');
  await dialog(page).locator('[data-grant="Mia Larsen"]').getByRole('button').last().click();
  await page.click('[role=menuitem][data-action=grant-remove]');
  await dialog(page).locator('[data-grant="Mia Larsen"]').waitFor({ state: 'detached' });
  await hers.goto(`${base}/files`);
  await node(hers, 'Harbour').waitFor({ state: 'detached', timeout: 30_000 });
}

export async function sharingHasNoBarriers({ open, files, base, apiBase }) {
  const mia = await person(apiBase, 'mia', 'Mia Larsen');
  const folder = await files.folder('Barrier free sharing');
  await files.call('PUT', `/entries/${folder}/grants`, { subject: { kind: 'user', id: mia.id }, role: 'editor' });
  await files.call('POST', `/entries/${folder}/links`, { mode: 'download', note: 'x', password: 'long-enough' });
  const found = [];
  for (const theme of ['light', 'dark']) {
    for (const language of ['en', 'ru']) {
      const page = await open({ theme, language });
      const check = async (where) => {
        await page.waitForTimeout(250);
        const { violations } = await new AxeBuilder({ page })
          .withTags(['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'])
          .analyze();
        for (const one of violations)
          found.push(
            `${where} ${theme} ${language}: ${one.id}: ${one.nodes
              .slice(0, 3)
              .map((node) => `${node.target.join(' ')} ${node.any[0]?.message ?? ''}`)
              .join(' | ')}`,
          );
      };
      await page.goto(`${base}/files/${folder}`);
      await page.waitForSelector('#files');
      await page.focus('#files');
      await page.keyboard.press('Alt+s');
      await dialog(page).locator('[data-grant]').waitFor();
      await dialog(page).locator('[data-link]').waitFor();
      await page.fill('input[name=people]', 'a');
      await page.waitForSelector('[data-person]');
      await check('people and links');
      await page.keyboard.press('Escape');
      await page.click('[data-new-link]');
      await dialog(page).locator('input[type=checkbox]').first().check();
      await check('new link');
      await page.keyboard.press('Escape');
      await page.click('[data-new-space]');
      await check('new space');
      await page.keyboard.press('Escape');
      for (const [path, sign] of [
        ['/links', '[data-link]'],
        ['/shared/by-me', '#files [data-name]'],
        ['/shared/with-me', 'main h1'],
        ['/settings', '[data-keep]'],
      ]) {
        await page.goto(`${base}${path}`);
        await page.waitForSelector(sign);
        await check(path);
      }
      await page.context().close();
    }
  }
  assert.deepEqual(found, []);
}

/** Being let into a space of a team, and out of it again, shows in the sidebar without anybody loading anything. */
export async function seesSpacesComeAndGo({ open, files, apiBase }) {
  const soonMs = 3_000;
  const nils = await person(apiBase, 'nils', 'Nils Holm');
  const team = await (await files.call('POST', '/spaces', { name: 'Pilots' })).json();
  await files.folder('Rota', team.root_id);
  const his = await browserOf(open, nils);
  await eventually(() => his.locator('[data-sync]').innerText(), 'Up to date');
  const space = his.locator('[role=tree]').getByText('Pilots', { exact: true });
  const give = () =>
    files.call('PUT', `/entries/${team.root_id}/grants`, { subject: { kind: 'user', id: nils.id }, role: 'viewer' });
  const { id: grant } = await (await give()).json();
  // The server does not tell that: who turns to the page finds it.
  await his.evaluate(() => dispatchEvent(new Event('focus')));
  await space.waitFor({ timeout: soonMs });
  await space.click();
  await row(his, 'Rota').waitFor();
  assert.equal((await files.call('DELETE', `/grants/${grant}`)).status, 204);
  await space.waitFor({ state: 'detached', timeout: soonMs });
  await his.getByRole('heading', { name: 'This folder is not here any more' }).waitFor();
}
