// The tree of folders by keyboard, without a connection, and for those who may only read.
import assert from 'node:assert/strict';
import { click, eventually, openFolder, ownFolder, person, row, settled, signIn } from '../steps.mjs';

const node = (page, name) => page.getByRole('treeitem', { name: new RegExp(`^${name}`) });

export async function reachesEveryFolderMenuByKeyboard({ open, files, base, network }) {
  const page = await open({ height: 4_000 });
  const team = await (await files.call('POST', '/spaces', { name: 'Tree team' })).json();
  await node(page, 'Tree team').waitFor();
  const top = await ownFolder(page, files, base, 'Tree keys');
  await settled(page);
  const numbers = await page.$$eval('[role=treeitem][aria-level="2"]', (rows) =>
    rows.map((one) => [Number(one.getAttribute('aria-posinset')), Number(one.getAttribute('aria-setsize'))]),
  );
  assert.deepEqual(
    numbers,
    numbers.map((_, at) => [at + 1, numbers.length]),
    'each says which it is of how many',
  );

  for (const key of ['Shift+F10', 'ContextMenu']) {
    await node(page, 'Tree team').focus();
    await page.keyboard.press(key);
    await page.waitForSelector('[role=menuitem][data-action=space-rename]');
    const menu = await page.locator('[role=menu]').boundingBox();
    const line = await node(page, 'Tree team').boundingBox();
    assert.ok(Math.abs(menu.y - line.y) < 60 && Math.abs(menu.x - line.x) < 60, 'it opens at its folder');
    await page.keyboard.press('Escape');
    await page.waitForSelector('[role=menu]', { state: 'detached' });
    assert.equal(
      await page.evaluate(() => document.activeElement?.getAttribute('role')),
      'treeitem',
      'the focus returns',
    );
  }
  await page.keyboard.press('Shift+F10');
  await page.waitForSelector('[role=menuitem][data-action=space-rename]');
  await page.keyboard.press('End');
  await page.keyboard.press('Enter');
  await page.fill('input[name=space-name]', 'Tree crew');
  await page.keyboard.press('Enter');
  await node(page, 'Tree crew').waitFor();
  await node(page, 'Tree keys').click({ button: 'right' });
  await page.click('[role=menuitem][data-action=tree-share]');
  await page.locator('[role=dialog]').getByText('Tree keys').first().waitFor();
  await page.keyboard.press('Escape');
  assert.equal((await files.call('DELETE', `/spaces/${team.id}`)).ok, true);

  // The first folder inside another one, made without a connection.
  await files.folder('Shelf', top);
  await row(page, 'Shelf').waitFor();
  await openFolder(page, 'Shelf');
  network.cut = true;
  await page.focus('#files');
  await page.keyboard.press('Alt+n');
  await page.locator('#files input').fill('Box');
  await page.keyboard.press('Enter');
  await eventually(() => node(page, 'Shelf').getAttribute('aria-expanded'), 'false', 'it can be opened');
  await node(page, 'Shelf').focus();
  await page.keyboard.press('ArrowRight');
  await node(page, 'Box').waitFor();
  assert.equal(await node(page, 'Box').getAttribute('aria-level'), '4');
}

export async function lightsUpOnlyWhereThingsMayBePut({ open, files, apiBase }) {
  const vera = await person(apiBase, 'verena', 'Vera Holm');
  const team = await (await files.call('POST', '/spaces', { name: 'Only to read' })).json();
  const shelf = await files.folder('Read me', team.root_id);
  await files.folder('Deeper', shelf);
  const given = await files.call('PUT', `/entries/${team.root_id}/grants`, {
    subject: { kind: 'user', id: vera.id },
    role: 'viewer',
  });
  assert.ok(given.ok, `${given.status}`);
  const mine = (await (await vera.call('GET', '/me')).json()).root_id;
  const page = await open({ signedIn: false, height: 1_200 });
  await signIn(page, 'verena', 'long-enough-1');
  await settled(page);
  assert.ok((await vera.call('POST', '/folders', { name: 'Own', parent_id: mine })).ok);
  assert.ok((await vera.call('POST', '/folders', { name: 'Carried', parent_id: mine })).ok);
  await row(page, 'Carried').waitFor();
  const lit = (target) => target.evaluate((element) => element.className.includes('bg-accent-soft!'));
  /** Carries a folder over something and says whether that offers to take it. */
  async function over(name, target, settledAt) {
    const from = await row(page, name).locator('[data-handle]').first().boundingBox();
    const to = await target.boundingBox();
    await page.mouse.move(from.x + 10, from.y + 8);
    await page.mouse.down();
    await page.mouse.move(from.x + 30, from.y + 20, { steps: 4 });
    // First over one that takes, so that the drag is known to be on its way.
    const sure = await settledAt.boundingBox();
    await page.mouse.move(sure.x + 40, sure.y + 10, { steps: 4 });
    await eventually(() => lit(settledAt), true, 'a folder of one’s own lights up');
    await page.mouse.move(to.x + 40, to.y + 10, { steps: 6 });
    await eventually(() => lit(settledAt), false);
    const is = await lit(target);
    await page.mouse.move(from.x + 10, from.y + 300, { steps: 4 });
    await page.keyboard.press('Escape');
    await page.mouse.up();
    return is;
  }
  await click(page, 'Carried');
  await node(page, 'Only to read').waitFor();
  assert.equal(await over('Carried', node(page, 'Only to read'), node(page, 'Own')), false);
}
