// What was done to one entry, in the details beside it.
import assert from 'node:assert/strict';
import { click, eventually, person, row, settled } from '../steps.mjs';

export async function tellsTheHistoryOfAnEntry({ open, files, base, apiBase, out }) {
  const team = await (await files.call('POST', '/spaces', { name: 'Logbook' })).json();
  const page = await open();
  const finn = await person(apiBase, 'finn', 'Finn Berg');
  assert.ok(
    (
      await files.call('PUT', `/entries/${team.root_id}/grants`, {
        subject: { kind: 'user', id: finn.id },
        role: 'editor',
      })
    ).ok,
  );
  const draft = await files.file('draft.txt', 'first', 'text/plain', team.root_id);
  assert.ok((await finn.call('PATCH', `/entries/${draft}`, { name: 'draft 2.txt' })).ok);
  const put = await fetch(`${apiBase}/api/v1/files/${draft}`, {
    method: 'PUT',
    headers: { ...files.auth, 'content-type': 'text/plain' },
    body: 'second',
  });
  assert.ok(put.ok);
  await page.goto(`${base}/files/${team.root_id}`);
  await click(page, 'draft 2.txt');
  const history = page.locator('[data-history]');
  const kinds = () => history.locator('[data-activity]').evaluateAll((all) => all.map((one) => one.dataset.activity));
  await eventually(kinds, ['content', 'renamed', 'created'], 'the newest is first');
  await history.getByText('Renamed it from “draft.txt”').waitFor();
  await history.getByText('Finn Berg').waitFor();
  // What somebody else did is theirs to take back.
  assert.deepEqual(
    await history.getByRole('button').evaluateAll((all) => all.map((one) => one.getAttribute('aria-label'))),
    ['Undo: Saved a new version', 'Undo: Created it'],
  );
  await page.screenshot({ path: `${out}history.png` });

  // What happens while one looks comes to the top.
  assert.ok((await finn.call('PATCH', `/entries/${draft}`, { name: 'draft 3.txt' })).ok);
  await row(page, 'draft 3.txt').waitFor();
  await eventually(kinds, ['renamed', 'content', 'renamed', 'created']);

  await history.getByRole('button', { name: 'Undo: Saved a new version' }).click();
  await eventually(
    async () => (await fetch(`${apiBase}/api/v1/files/${draft}`, { headers: files.auth })).text(),
    'first',
    'the bytes of before',
  );
  await history.getByText('taken back').waitFor();
  await eventually(
    () => history.getByRole('button', { name: 'Undo: Saved a new version' }).count(),
    1,
    'and that can be taken back as well',
  );
  await settled(page);

  // The page of all activities tells of the same space, by name.
  await page.goto(`${base}/activity?space=${team.id}`);
  await page
    .locator('[data-activity]')
    .filter({ hasText: 'Renamed “draft 2.txt” to “draft 3.txt”' })
    .getByText('Finn Berg')
    .waitFor();
}
