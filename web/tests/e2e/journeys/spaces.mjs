// Between spaces: by dragging, by the clipboard, by the dialog; and the way back.
import assert from 'node:assert/strict';
import { click, eventually, names, onServer, ownFolder, row, settled } from '../steps.mjs';

export async function movesBetweenSpacesAndBack({ open, files, base, network, out }) {
  // High enough for the folders that other journeys left in the sidebar.
  const page = await open({ height: 4_000 });
  const folder = await ownFolder(page, files, base, 'Across');
  for (const name of ['dragged.txt', 'cut.txt', 'stays.txt']) await files.file(name, name, 'text/plain', folder);
  const inner = await files.folder('Berths', folder);
  await files.file('inside.txt', 'inside', 'text/plain', inner);
  const team = await (await files.call('POST', '/spaces', { name: 'Dry dock' })).json();
  const box = await files.folder('Inbox', team.root_id);
  await page.reload();
  await row(page, 'stays.txt').waitFor();
  const crew = page.locator('[role=tree]').getByText('Dry dock');
  await crew.waitFor();
  await settled(page);

  // Dragged onto the space in the sidebar, and back by one step.
  await row(page, 'dragged.txt').locator('[data-handle]').first().dragTo(crew);
  await eventually(() => onServer(files, team.root_id), ['Inbox', 'dragged.txt'], 'it is with the team');
  await page.getByText('1 item moved', { exact: true }).waitFor();
  await row(page, 'dragged.txt').waitFor({ state: 'detached' });
  await page.focus('#files');
  await page.keyboard.press('Control+z');
  await eventually(() => onServer(files, team.root_id), ['Inbox'], 'one step takes it back');
  await row(page, 'dragged.txt').waitFor();
  await page.keyboard.press('Control+Shift+z');
  await eventually(() => onServer(files, team.root_id), ['Inbox', 'dragged.txt'], 'and it can be done again');
  await row(page, 'dragged.txt').waitFor({ state: 'detached' });

  // Cut here, put in there; a folder takes along what is in it.
  await click(page, 'cut.txt');
  await row(page, 'Berths')
    .locator('[data-handle]')
    .first()
    .click({ modifiers: ['Control'] });
  await page.keyboard.press('Control+x');
  await crew.click();
  await page.waitForFunction(() => document.querySelector('nav h1')?.textContent?.trim() === 'Dry dock');
  await page.keyboard.press('Control+v');
  await eventually(() => onServer(files, team.root_id), ['Berths', 'Inbox', 'cut.txt', 'dragged.txt']);
  await eventually(
    async () => (await names(page)).sort(),
    ['Berths', 'Inbox', 'cut.txt', 'dragged.txt'],
    'and so it is shown',
  );
  await eventually(() => onServer(files, folder), ['stays.txt']);
  await row(page, 'Berths').dblclick({ position: { x: 60, y: 12 } });
  await row(page, 'inside.txt').waitFor();

  // By the dialog, from the team into one of its folders and then out to one's own files.
  await page.waitForFunction(() => document.querySelector('nav h1')?.textContent?.trim() === 'Berths');
  await page.keyboard.press('Alt+ArrowUp');
  await click(page, 'cut.txt');
  await page.keyboard.press('Control+Shift+m');
  await page.click('[role=dialog] [data-spaces]');
  await page.waitForSelector('[role=dialog] [data-space="My files"]');
  await page.screenshot({ path: `${out}spaces-move.png` });
  await page.click('[role=dialog] [data-space="My files"]');
  await page.getByRole('dialog').getByText('Across').click();
  await page.getByRole('dialog').getByRole('button', { name: 'Move here' }).click();
  await eventually(() => onServer(files, folder), ['cut.txt', 'stays.txt'], 'out of the team');
  await row(page, 'cut.txt').waitFor({ state: 'detached' });

  // What somebody did meanwhile stands in the way of the way back, and that is said.
  await files.file('cut.txt', 'of somebody else', 'text/plain', team.root_id);
  await page.focus('#files');
  await page.keyboard.press('Control+z');
  await page
    .getByText(/^1 could not be done: /)
    .first()
    .waitFor();
  assert.deepEqual(await onServer(files, folder), ['cut.txt', 'stays.txt'], 'it stays where it is');
  // What came in moves the rows below it: nothing is dragged before that.
  await row(page, 'cut.txt').waitFor();
  await row(page, 'dragged.txt').locator('[data-handle]').first().dragTo(row(page, 'Inbox'));
  await eventually(() => onServer(files, box), ['dragged.txt'], 'within the space it is as anywhere');
  await settled(page);

  // Without a connection nothing crosses, and nothing is lost.
  await page.goto(`${base}/files/${folder}`);
  await row(page, 'stays.txt').waitFor();
  network.cut = true;
  await eventually(() => page.locator('[data-sync]').innerText(), 'Offline');
  await row(page, 'stays.txt').locator('[data-handle]').first().dragTo(crew);
  await page.getByText('Between spaces this needs a connection.', { exact: true }).waitFor();
  assert.ok((await names(page)).includes('stays.txt'));
  network.cut = false;
  await settled(page);
  assert.deepEqual(await onServer(files, folder), ['cut.txt', 'stays.txt']);
}
