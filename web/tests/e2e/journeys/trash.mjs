// Deleting, and what is deleted coming back.
import assert from 'node:assert/strict';
import { click, eventually, names, onServer, ownFolder, person, row, settled, signIn } from '../steps.mjs';

const inTrash = async (files) =>
  (await (await files.call('GET', '/trash?limit=1000')).json()).items.map((item) => item.name);

export async function deletesWithoutAQuestionAndTakesItBack({ open, files, base, network }) {
  const page = await open();
  const folder = await ownFolder(page, files, base, 'Delete here');
  const inner = await files.folder('Inner', folder);
  await files.file('deep.txt', 'deep', 'text/plain', inner);
  await files.file('a.txt', 'a', 'text/plain', folder);
  await row(page, 'a.txt').waitFor();
  await click(page, 'Inner');
  await page.keyboard.press('Delete');
  await eventually(() => names(page), ['a.txt']);
  await settled(page);
  assert.ok((await inTrash(files)).includes('Inner'));
  await page.getByRole('button', { name: 'Undo', exact: true }).last().click();
  await row(page, 'Inner').waitFor();
  await eventually(() => onServer(files, folder), ['Inner', 'a.txt']);
  await settled(page);
  // With all that was in it.
  await row(page, 'Inner').dblclick({ position: { x: 60, y: 12 } });
  await row(page, 'deep.txt').waitFor();
  await page.goBack();

  // Deleted and taken back before the server ever heard of it.
  await row(page, 'a.txt').waitFor();
  network.cut = true;
  await click(page, 'a.txt');
  await page.keyboard.press('Delete');
  await eventually(() => names(page), ['Inner']);
  await page.keyboard.press('Control+z');
  await eventually(() => names(page), ['Inner', 'a.txt']);
  network.cut = false;
  await settled(page);
  assert.deepEqual(await onServer(files, folder), ['Inner', 'a.txt']);
  await page.keyboard.press('Control+Shift+z');
  await eventually(() => onServer(files, folder), ['Inner'], 'it is deleted again');
}

export async function bringsBackFromTheTrashAndEmptiesIt({ open, files, base }) {
  const page = await open();
  const folder = await ownFolder(page, files, base, 'For the trash');
  const ids = {};
  for (const name of ['back.txt', 'gone for good.txt', 'rest.txt'])
    ids[name] = await files.file(name, name, 'text/plain', folder);
  await row(page, 'rest.txt').waitFor();
  for (const name of Object.keys(ids)) {
    await click(page, name);
    await page.keyboard.press('Delete');
  }
  await eventually(() => onServer(files, folder), []);
  await page.getByRole('link', { name: 'Trash' }).click();
  const line = (name) => page.locator(`[data-trashed="${name}"]`);
  await line('back.txt').waitFor();
  assert.match(await line('back.txt').innerText(), /My files › For the trash/);
  await line('back.txt').getByRole('button', { name: 'Restore' }).click();
  await eventually(() => onServer(files, folder), ['back.txt']);
  await line('gone for good.txt').getByRole('button', { name: 'Delete for good' }).click();
  await page.click('[data-confirm-delete]');
  await line('gone for good.txt').waitFor({ state: 'detached' });
  assert.equal((await files.call('GET', `/entries/${ids['gone for good.txt']}`)).status, 404);
  // What lost its folder comes back to the top.
  assert.equal((await files.call('DELETE', `/entries/${folder}`)).status, 204);
  await line('rest.txt').getByRole('button', { name: 'Restore' }).click();
  await page.waitForSelector('text=It was put into your files');
  await page.reload();
  await line('For the trash').waitFor();
  await page.click('[data-empty-trash]');
  await page.click('[data-confirm-delete]');
  await page.waitForSelector('text=The trash is empty', { timeout: 30_000 });
  assert.deepEqual(await inTrash(files), []);
}

export async function takesBackWhatCanStillComeBack({ open, files, base }) {
  const page = await open();
  const folder = await ownFolder(page, files, base, 'To take back');
  for (const name of ['first.txt', 'second.txt']) await files.file(name, name, 'text/plain', folder);
  for (const name of ['first.txt', 'second.txt']) {
    await row(page, name).waitFor();
    await click(page, name);
    await page.keyboard.press('Delete');
    await row(page, name).waitFor({ state: 'detached' });
  }
  await settled(page);
  await page.getByRole('link', { name: 'Trash' }).click();
  const gone = page.locator('[data-trashed="second.txt"]');
  await gone.getByRole('button', { name: 'Delete for good' }).click();
  await page.click('[data-confirm-delete]');
  await gone.waitFor({ state: 'detached' });
  await page.goBack();
  await page.waitForSelector('#files');
  await page.keyboard.press('Control+z');
  await row(page, 'first.txt').waitFor();
  await settled(page);
  assert.deepEqual(await onServer(files, folder), ['first.txt']);
}

export async function keepsATrashForEachTeam({ open, files, base, apiBase, out }) {
  const team = await (await files.call('POST', '/spaces', { name: 'Ship papers' })).json();
  const box = await files.folder('Crates', team.root_id);
  const ids = {};
  for (const name of ['bill.txt', 'cargo.txt', 'crew.txt', 'log.txt'])
    ids[name] = await files.file(name, name, 'text/plain', box);
  const editor = await person(apiBase, 'finn', 'Finn Berg');
  const give = async (role) =>
    assert.ok(
      (await files.call('PUT', `/entries/${team.root_id}/grants`, { subject: { kind: 'user', id: editor.id }, role }))
        .ok,
    );
  await give('editor');
  assert.equal((await editor.call('DELETE', `/entries/${ids['bill.txt']}`)).status, 204);
  for (const name of ['cargo.txt', 'crew.txt', 'log.txt'])
    assert.equal((await files.call('DELETE', `/entries/${ids[name]}`)).status, 204);

  // From the space's own menu to its trash, which says where things were and who deleted them. The page is high enough for
  // the folders that other journeys left in the sidebar.
  const page = await open({ height: 4_000 });
  const crew = page.locator('[role=tree] [role=treeitem]').filter({ hasText: 'Ship papers' });
  await crew.hover();
  await crew.getByRole('button').last().click();
  await page.click('[role=menuitem][data-action=space-trash]');
  const line = (name) => page.locator(`[data-trashed="${name}"]`);
  await line('bill.txt').getByText('Deleted by Finn Berg').waitFor();
  await line('cargo.txt').getByText('Deleted by You').waitFor();
  await line('cargo.txt').getByText('Ship papers › Crates').waitFor();
  await page.screenshot({ path: `${out}trash-team.png` });

  await line('cargo.txt').getByRole('button', { name: 'Restore' }).click();
  await eventually(() => onServer(files, box), ['cargo.txt']);
  await line('crew.txt').getByRole('button', { name: 'Delete for good' }).click();
  await page.click('[data-confirm-delete]');
  await line('crew.txt').waitFor({ state: 'detached' });
  assert.equal((await files.call('GET', `/entries/${ids['crew.txt']}`)).status, 404);
  // What others delete is there at once, and what lost its folder comes back at the top of the same space.
  assert.equal((await editor.call('DELETE', `/entries/${box}`)).status, 204);
  await line('Crates').waitFor();
  await line('log.txt').getByRole('button', { name: 'Restore' }).click();
  await page
    .getByText('The folder it was in is gone. It was put at the top of “Ship papers”.', { exact: true })
    .waitFor();
  await eventually(() => onServer(files, team.root_id), ['log.txt']);

  // One's own trash is another one.
  const choose = page.getByLabel('Trash of', { exact: true });
  await choose.selectOption({ label: 'My files' });
  await line('Crates').waitFor({ state: 'detached' });
  assert.equal(new URL(page.url()).search, '');
  await choose.selectOption({ label: 'Ship papers' });
  await line('Crates').waitFor();

  // Who may change but not manage brings back, and does not remove for good.
  const his = await open({ signedIn: false });
  await signIn(his, 'finn', 'long-enough-1');
  await his.goto(`${base}/trash?space=${team.id}`);
  await his.locator('[data-trashed=Crates]').getByRole('button', { name: 'Restore' }).waitFor();
  await his.getByText('Managers of the space delete for good.').waitFor();
  assert.equal(await his.locator('[data-empty-trash]').count(), 0);
  assert.equal(await his.getByRole('button', { name: 'Delete for good' }).count(), 0);

  // Emptying shows how far it is, also after the page was loaded anew. The server is too quick for anybody to see that.
  let asked = 0;
  await page.route('**/trash/emptying*', (route) => {
    asked += 1;
    return asked > 4
      ? route.continue()
      : route.fulfill({
          json: {
            space_id: team.id,
            state: 'running',
            job_id: null,
            entries_total: 80,
            entries_left: 20,
            trees_left: 1,
          },
        });
  });
  await page.click('[data-empty-trash]');
  await page.getByRole('heading', { name: 'Empty the trash of “Ship papers”?' }).waitFor();
  await page.click('[data-confirm-delete]');
  await page.locator('[data-emptying]').getByText('Emptying: 20 left').waitFor();
  assert.equal(await page.locator('[data-emptying] [role=progressbar]').getAttribute('aria-valuenow'), '75');
  await page.reload();
  await page.locator('[data-emptying]').getByText('Emptying: 20 left').waitFor();
  await page.getByText('The trash is empty').waitFor();
  await page.locator('[data-emptying]').waitFor({ state: 'detached', timeout: 30_000 });
  await eventually(
    async () => (await (await files.call('GET', `/trash?space=${team.id}`)).json()).items,
    [],
    'and so the server has it',
  );
}
