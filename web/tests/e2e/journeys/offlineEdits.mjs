// Everything people edit, without a connection: marks, descriptions, texts; and what happens when two edit the same.
import AxeBuilder from '@axe-core/playwright';
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { click, eventually, isWritten, onServer, ownFolder, row, settled, sync } from '../steps.mjs';

const dialog = (page) => page.locator('[role=dialog]');
const controlled = (page) => page.waitForFunction(() => navigator.serviceWorker.controller !== null);
const textOf = async (files, id) => (await files.call('GET', `/files/${id}`)).text();
const entryOf = async (files, id) => (await files.call('GET', `/entries/${id}`)).json();

async function openEditor(page, name) {
  await click(page, name);
  await page.keyboard.press('Space');
  await dialog(page).locator('[data-edit-text]').click();
  await dialog(page).locator('textarea').waitFor();
}
async function save(page) {
  await dialog(page).locator('[data-save-text]').click();
  await dialog(page).locator('[data-editor]').waitFor({ state: 'detached' });
}
async function noBarriers(page, where) {
  const { violations } = await new AxeBuilder({ page })
    .withTags(['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'])
    .analyze();
  assert.deepEqual(
    violations.map((one) => `${where}: ${one.id}: ${one.nodes.map((node) => node.target.join(' ')).join(' | ')}`),
    [],
  );
}

export async function editsMarksAndTextsWithoutAConnection({ open, files, base, network, out }) {
  const page = await open();
  const folder = await ownFolder(page, files, base, 'Edited away');
  const plan = await files.file('plan.txt', 'One.\n', 'text/plain', folder);
  const other = await files.file('other.txt', 'x', 'text/plain', folder);
  const made = await (
    await files.call('POST', `/spaces/${files.space}/tags`, { name: 'Harbour', colour: 'teal' })
  ).json();
  for (const name of ['plan.txt', 'other.txt']) await row(page, name).waitFor();
  await page.waitForSelector('[data-tag-places] >> text=Harbour');
  await controlled(page);
  await settled(page);
  // A text that is to be edited away from the server has to be here.
  await openEditor(page, 'plan.txt');
  network.cut = true;
  await dialog(page).locator('textarea').fill('One.\nTwo, at sea.\n');
  await save(page);
  await dialog(page).getByText('Two, at sea.').waitFor();
  await dialog(page).locator('[data-waiting]').waitFor();
  await page.keyboard.press('Escape');

  await page.keyboard.press('Alt+b');
  await row(page, 'plan.txt').locator('[data-star]').waitFor();
  await page.click('aside [data-details] >> text=Tags…');
  await page.click('[role=checkbox][data-tag=Harbour]');
  await page.waitForSelector('[role=checkbox][data-tag=Harbour][aria-checked=true]');
  await page.keyboard.press('Escape');
  await row(page, 'plan.txt').locator('[data-tags]').waitFor();
  // What is typed is kept although nobody pressed a button: the selection goes elsewhere.
  await page.fill('aside textarea', 'Typed away from the shore.');
  await click(page, 'other.txt');
  await page.click('[aria-label="Add a property"]');
  await page.fill('[aria-label=Property]', 'Depth');
  await page.selectOption('[data-property-kind] select', 'number');
  await page.fill('[aria-label=Value]', '12');
  await page.keyboard.press('Enter');
  await page.waitForSelector('[data-property=Depth]');
  await click(page, 'other.txt');
  await page.keyboard.press('Alt+b');
  await row(page, 'other.txt').locator('[data-star]').waitFor();
  // A star is taken back like anything else.
  await page.focus('#files');
  await page.keyboard.press('Control+z');
  await row(page, 'other.txt').locator('[data-star]').waitFor({ state: 'detached' });

  await page.reload();
  await row(page, 'plan.txt').locator('[data-star]').waitFor();
  await row(page, 'plan.txt').locator('[data-tags]').waitFor();
  await eventually(() => sync(page), 'Offline, 7 changes waiting');
  await click(page, 'plan.txt');
  await page.waitForFunction(() => document.querySelector('aside textarea')?.value === 'Typed away from the shore.');
  await page.keyboard.press('Space');
  await dialog(page).getByText('Two, at sea.').waitFor();
  await noBarriers(page, 'quick look of what waits');
  await page.screenshot({ path: `${out}offline-look.png` });
  await page.keyboard.press('Escape');
  await page.click('[data-sync]');
  await dialog(page).locator('text=Put the tag “Harbour” on “plan.txt”').waitFor();
  await page.screenshot({ path: `${out}offline-waiting.png` });
  await page.keyboard.press('Escape');
  assert.equal((await entryOf(files, plan)).tags, undefined);

  // Somebody else puts on another tag meanwhile: a set takes both.
  const second = await (
    await files.call('POST', `/spaces/${files.space}/tags`, { name: 'Anchor', colour: 'red' })
  ).json();
  assert.ok((await files.call('POST', `/tags/${second.id}/entries`, { put_on: [plan], take_off: [] })).ok);
  network.cut = false;
  await eventually(() => textOf(files, plan), 'One.\nTwo, at sea.\n', 'the text has arrived', 30_000);
  await settled(page);
  const now = await entryOf(files, plan);
  assert.deepEqual(now.tags.toSorted(), [made.id, second.id].toSorted());
  assert.equal(now.description, 'Typed away from the shore.');
  assert.deepEqual((await entryOf(files, other)).properties, { Depth: { type: 'number', value: 12 } });
  const { items } = await (await files.call('GET', '/favourites?limit=1000')).json();
  const stars = new Set(items.map((one) => one.id));
  assert.deepEqual([stars.has(plan), stars.has(other)], [true, false]);
  assert.equal((await (await files.call('GET', `/files/${plan}/versions`)).json()).items.length, 2);
}

/** A page that goes away while somebody types takes nothing along. */
export async function offersAgainWhatWasTyped({ open, files, base, network, out }) {
  const page = await open();
  const folder = await ownFolder(page, files, base, 'Drafts');
  const note = await files.file('note.md', 'Saved.\n', 'text/markdown', folder);
  await row(page, 'note.md').waitFor();
  await controlled(page);
  await openEditor(page, 'note.md');
  await dialog(page).locator('textarea').fill('Saved.\nTyped and not saved.\n');
  await page.waitForFunction(isWritten, { table: 'drafts' });
  await page.reload();
  await row(page, 'note.md').waitFor();
  await openEditor(page, 'note.md');
  await dialog(page).locator('[data-restored]').waitFor();
  const typed = () => dialog(page).locator('textarea').inputValue();
  assert.equal(await typed(), 'Saved.\nTyped and not saved.\n');
  await noBarriers(page, 'a draft');
  await page.screenshot({ path: `${out}draft.png` });
  await dialog(page).locator('[data-use-saved]').click();
  await eventually(typed, 'Saved.\n');
  await page.locator('button:visible', { hasText: 'Undo' }).last().click();
  await eventually(typed, 'Saved.\nTyped and not saved.\n', 'and even that is taken back');
  // Others may have saved since it was typed: it is still based on what was read then.
  const put = await fetch(`${base}/api/v1/files/${note}`, {
    method: 'PUT',
    headers: { ...files.auth, 'content-type': 'text/markdown' },
    body: 'Theirs.\n',
  });
  assert.ok(put.ok);
  await page.reload();
  await row(page, 'note.md').waitFor();
  await openEditor(page, 'note.md');
  await dialog(page).locator('[data-save-text]').click();
  await dialog(page).locator('[data-save-beside]').click();
  await dialog(page).locator('[data-editor]').waitFor({ state: 'detached' });
  await eventually(() => onServer(files, folder), ['note (2).md', 'note.md'], 'both are there');
  assert.equal(await textOf(files, note), 'Theirs.\n');
  await dialog(page).locator('[data-edit-text]').click();
  await dialog(page).locator('textarea').waitFor();
  assert.equal(await dialog(page).locator('[data-restored]').count(), 0);

  // The file goes away under the hands, without a connection to be asked about it: the words stay.
  await dialog(page).locator('textarea').fill('Typed on what is deleted.');
  assert.ok((await files.call('DELETE', `/entries/${note}`)).ok);
  await dialog(page).waitFor({ state: 'detached', timeout: 20_000 });
  await page.click('[data-review]', { timeout: 20_000 });
  await dialog(page).getByText('Typed on what is deleted.').waitFor();
  await dialog(page).locator('[data-keep-mine]').click();
  await dialog(page).waitFor({ state: 'detached' });
  await eventually(() => onServer(files, folder), ['note (2).md', 'note.md'], 'it is a file of its own', 20_000);
  network.cut = false;
}

/** What was typed and not saved can be found, also when its file is gone; and a text is edited in one tab at a time. */
export async function findsDraftsAndEditsInOneTab({ open, files, base, out }) {
  const page = await open();
  const folder = await ownFolder(page, files, base, 'Found drafts');
  const log = await files.file('log.md', 'Saved.\n', 'text/markdown', folder);
  await row(page, 'log.md').waitFor();
  await openEditor(page, 'log.md');
  await dialog(page).locator('textarea').fill('Saved.\nTyped in the first tab.\n');
  await page.waitForFunction(isWritten, { table: 'drafts' });

  const other = await page.context().newPage();
  await other.goto(`${base}/files/${folder}`);
  await row(other, 'log.md').waitFor();
  await click(other, 'log.md');
  await other.keyboard.press('Space');
  await dialog(other).locator('[data-edit-text]').click();
  await dialog(other).getByText('This text is being edited in another tab.').waitFor();
  assert.equal(await dialog(other).locator('textarea').count(), 0);
  // The first tab lets go of it, and the other goes on with what was typed there.
  await page.reload();
  await dialog(other).locator('textarea').waitFor();
  assert.equal(await dialog(other).locator('textarea').inputValue(), 'Saved.\nTyped in the first tab.\n');
  await other.close();

  await eventually(() => sync(page), '1 text is not saved');
  await page.click('[data-sync]');
  const drafts = dialog(page).locator('[data-drafts]');
  await drafts.getByText('log.md').waitFor();
  await noBarriers(page, 'drafts');
  await page.screenshot({ path: `${out}drafts.png` });
  await drafts.getByRole('button', { name: 'Show in its folder' }).click();
  await dialog(page).waitFor({ state: 'detached' });
  await page.waitForSelector('[role=grid] [data-name="log.md"][aria-selected=true]');

  assert.ok((await files.call('DELETE', `/entries/${log}?permanent=true`)).ok);
  await row(page, 'log.md').waitFor({ state: 'detached' });
  await page.click('[data-sync]');
  await drafts.getByText('The file is not there any more.').waitFor();
  const [taken] = await Promise.all([page.waitForEvent('download'), drafts.locator('[data-take-draft]').click()]);
  assert.equal(taken.suggestedFilename(), 'log.md');
  assert.equal(await readFile(await taken.path(), 'utf8'), 'Saved.\nTyped in the first tab.\n');
  await drafts.getByRole('button', { name: 'Discard' }).click();
  await drafts.waitFor({ state: 'detached' });
  await page.locator('button:visible', { hasText: 'Undo' }).last().click();
  await drafts.getByText('log.md').waitFor();
  await drafts.getByRole('button', { name: 'Discard' }).click();
  await dialog(page).getByText('Every change has reached the server.').waitFor();
}

/** Two browsers edit the same text; each way out of it does what it says. */
export async function asksWhatIsToBeOfTwoTexts({ open, files, base, network, out }) {
  const first = await open();
  const folder = await ownFolder(first, files, base, 'Two texts');
  const lines = Array.from({ length: 14 }, (_, at) => `Line ${at + 1} of the log.`);
  const names = ['keep mine.md', 'keep theirs.md', 'keep both.md', 'keep copy.md'];
  const ids = {};
  for (const name of names) ids[name] = await files.file(name, `${lines.join('\n')}\n`, 'text/markdown', folder);
  const told = await files.file('told.txt', 'x', 'text/plain', folder);
  for (const name of names) await row(first, name).waitFor();
  await controlled(first);
  await settled(first);
  // What is to be edited away from the server is kept on the device.
  await first.focus('#files');
  await first.keyboard.press('Control+a');
  await click(first, names[0], { button: 'right' });
  await first.click('[role=menuitemcheckbox][data-action=keep-offline]');
  await eventually(() => first.locator('[data-kept=kept]').count(), names.length + 1, 'the files are here', 20_000);

  // The second browser is another device of its own: only the first one loses the connection.
  const cut = (on) => first.context().setOffline(on);
  await cut(true);
  for (const name of names) {
    await openEditor(first, name);
    const mine = [...lines.slice(0, 2), `Mine in ${name}.`, ...lines.slice(3)];
    await dialog(first)
      .locator('textarea')
      .fill(`${mine.join('\n')}\n`);
    await save(first);
    await first.keyboard.press('Escape');
  }
  await click(first, 'told.txt');
  await first.fill('aside textarea', 'My words about it.');
  await click(first, names[0]);
  await eventually(() => sync(first), 'Offline, 5 changes waiting');

  const second = await open();
  await second.goto(`${base}/files/${folder}`);
  for (const name of names) {
    await row(second, name).waitFor();
    await openEditor(second, name);
    const theirs = [...lines.slice(0, 2), 'Theirs is this.', 'And this.', ...lines.slice(3)];
    await dialog(second)
      .locator('textarea')
      .fill(`${theirs.join('\n')}\n`);
    await save(second);
    await second.keyboard.press('Escape');
  }
  await click(second, 'told.txt');
  await second.fill('aside textarea', 'Their words about it.');
  await second.click('aside >> text="Save"');
  await eventually(async () => (await entryOf(files, told)).description, 'Their words about it.');
  await settled(second);

  await cut(false);
  await eventually(() => sync(first), '5 conflicts', 'all of them met', 40_000);
  for (const name of names) {
    await row(first, name).locator('[data-conflict]').waitFor();
    assert.ok((await textOf(files, ids[name])).includes('Theirs is this.'), 'nothing is written over');
  }
  assert.equal((await entryOf(files, told)).description, 'Their words about it.');
  // It is all there after a reload too.
  await first.reload();
  await row(first, names[0]).waitFor();
  await first.click('[data-review]');
  const card = (name) => dialog(first).locator(`[data-edit-conflict="${name}"]`);
  await card(names[0]).getByText('Mine in keep mine.md.').waitFor();
  await card(names[0]).getByText('And this.').waitFor();
  await noBarriers(first, 'two texts');
  await first.screenshot({ path: `${out}conflict.png` });

  await card('keep mine.md').locator('[data-keep-mine]').click();
  await card('keep mine.md').waitFor({ state: 'detached' });
  await eventually(async () => (await textOf(files, ids['keep mine.md'])).includes('Mine in'), true, 'mine is newest');
  const versions = (await (await files.call('GET', `/files/${ids['keep mine.md']}/versions`)).json()).items;
  assert.equal(versions.length, 3, 'theirs is among the versions');

  // What was typed goes after a question only, and even then it can be had back.
  await card('keep theirs.md').locator('[data-keep-theirs]').click();
  await noBarriers(first, 'the question');
  await first.screenshot({ path: `${out}conflict-question.png` });
  await card('keep theirs.md').locator('[data-drop]').click();
  await card('keep theirs.md').waitFor({ state: 'detached' });
  assert.ok((await textOf(files, ids['keep theirs.md'])).includes('Theirs is this.'));

  await card('keep both.md').locator('[data-keep-both]').click();
  await card('keep both.md').waitFor({ state: 'detached' });
  await card('keep copy.md').locator('[data-keep-theirs]').click();
  await card('keep copy.md').locator('[data-copy]').click();
  await card('keep copy.md').waitFor({ state: 'detached' });
  await card('told.txt').locator('[data-keep-both]').click();
  await eventually(
    async () => (await entryOf(files, told)).description,
    'Their words about it.\n\nMy words about it.',
    'both are in it',
  );
  const year = new Date().getFullYear();
  const wanted = (name) => new RegExp(`^${name} \\(conflict, .*${year}\\)\\.md$`);
  await eventually(
    async () => {
      const there = await onServer(files, folder);
      return [
        there.length,
        there.some((one) => wanted('keep both').test(one)),
        there.some((one) => wanted('keep copy').test(one)),
      ];
    },
    [7, true, true],
    'mine are files beside theirs',
  );
  await settled(first);
  await eventually(() => second.locator('[role=grid] [data-name]').count(), 7, 'and the other browser sees them');
  network.cut = false;
}
