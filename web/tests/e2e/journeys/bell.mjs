// The bell: what others do and share, what comes through links; quiet, told as one, read, and gone to.
import AxeBuilder from '@axe-core/playwright';
import assert from 'node:assert/strict';
import { dropFiles, eventually, ownFolder, row, selected, settled } from '../steps.mjs';

async function noBarriers(page, where) {
  const { violations } = await new AxeBuilder({ page })
    .withTags(['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'])
    .analyze();
  assert.deepEqual(
    violations.map(
      (one) =>
        `${where}: ${one.id}: ${one.nodes.map((node) => `${node.target.join(' ')} ${node.any[0]?.message ?? ''}`).join(' | ')}`,
    ),
    [],
  );
}

export async function tellsInTheBell({ open, files, base, apiBase, out }) {
  const json = { 'content-type': 'application/json' };
  await fetch(`${apiBase}/api/v1/register`, {
    method: 'POST',
    headers: json,
    body: JSON.stringify({ name: 'anna', password: 'long-enough-1', display_name: 'Anna Berg' }),
  });
  const tokens = await (
    await fetch(`${apiBase}/api/v1/login`, {
      method: 'POST',
      headers: json,
      body: JSON.stringify({ name: 'anna', password: 'long-enough-1', client: 'test' }),
    })
  ).json();
  const auth = { authorization: `Bearer ${tokens.access_token}` };
  const anna = async (method, path, body) =>
    (
      await fetch(`${apiBase}/api/v1${path}`, {
        method,
        headers: { ...json, ...auth },
        body: body && JSON.stringify(body),
      })
    ).json();
  const put = async (name, parent) =>
    (
      await fetch(`${apiBase}/api/v1/files?${new URLSearchParams({ name, parent })}`, {
        method: 'POST',
        headers: { ...auth, 'content-type': 'text/plain' },
        body: name,
      })
    ).json();

  const page = await open();
  const folder = await ownFolder(page, files, base, 'Budget');
  await files.call('PUT', `/entries/${folder}/grants`, {
    subject: { kind: 'user', id: tokens.user.id },
    role: 'editor',
  });
  const box = await files.folder('Letter box', folder);
  const link = await (
    await files.call('POST', `/entries/${box}/links`, { mode: 'upload', name: 'For the post' })
  ).json();
  await settled(page);
  const marks = () =>
    page.evaluate(async (id) => {
      const name = (await indexedDB.databases()).find((one) => one.name.startsWith('holdfast-usr_')).name;
      const db = await new Promise(
        (resolve) => (indexedDB.open(name).onsuccess = (event) => resolve(event.target.result)),
      );
      const rows = await new Promise(
        (resolve) =>
          (db.transaction('seen').objectStore('seen').getAll().onsuccess = (event) => resolve(event.target.result)),
      );
      db.close();
      const of = (wanted) => rows.find((one) => one.id === wanted)?.seen;
      return of('shared') !== undefined && of('teams') !== undefined && of('links')?.[id] === 0;
    }, link.id);
  // Asked for when somebody looks, and at most once a minute: the reload asks anew.
  await page.reload();
  await eventually(marks, true, 'it is known what is no news', 20_000);
  const unread = async () => (await page.locator('[data-unread]').allInnerTexts())[0] ?? '0';
  assert.equal(await unread(), '0');
  await page.click('[data-bell]');
  await page.waitForSelector('text=Nothing new');
  await noBarriers(page, 'empty panel');
  await page.keyboard.press('Escape');

  // What somebody else does, told as one.
  for (const name of ['january.txt', 'february.txt', 'march.txt']) await put(name, folder);
  await eventually(unread, '1', 'three changes are one notice');
  await page.click('[data-bell]');
  await page.waitForSelector('[data-notice=changes] >> text=Anna Berg added 3 items to “Budget”');
  await noBarriers(page, 'panel');
  await page.screenshot({ path: `${out}bell.png` });
  assert.equal(await page.locator('[role=status] >> text=Anna').count(), 0, 'no message pops up');
  await page.keyboard.press('Escape');
  await eventually(
    () => page.evaluate(() => document.activeElement?.hasAttribute('data-bell') ?? false),
    true,
    'the focus is back',
  );

  // What is shared, a team, and what came through a link.
  const theirs = await anna('POST', '/folders', { name: 'Mooring plans' });
  const me = (await (await files.call('GET', '/me')).json()).id;
  await anna('PUT', `/entries/${theirs.id}/grants`, { subject: { kind: 'user', id: me }, role: 'viewer' });
  const team = await anna('POST', '/spaces', { name: 'Sailing club' });
  await anna('PUT', `/entries/${team.root_id}/grants`, { subject: { kind: 'user', id: me }, role: 'editor' });
  const visit = `${apiBase}/api/v1/public/links/${link.token}`;
  const session = await (
    await fetch(`${visit}/unlock`, { method: 'POST', headers: json, body: JSON.stringify({ visitor_name: 'Grace' }) })
  ).json();
  await fetch(`${visit}/files?name=letter.txt`, {
    method: 'POST',
    headers: { 'link-session': session.session_token },
    body: 'dear all',
  });
  await page.evaluate(() => document.dispatchEvent(new Event('visibilitychange')));
  await eventually(unread, '4', 'a share, a team and a letter', 20_000);
  await page.keyboard.press('Alt+i');
  await page.waitForSelector('[data-notice=shared] >> text=Anna Berg shared “Mooring plans” with you');
  await page.waitForSelector('[data-notice=team] >> text=You are now a member of “Sailing club”');
  await page.waitForSelector('[data-notice=dropped] >> text=Grace put 1 file into “For the post”');
  await page.screenshot({ path: `${out}bell-many.png` });
  await page.click('[data-notice=dropped] > button');
  await page.waitForFunction(() => document.querySelector('nav h1')?.textContent?.trim() === 'Letter box');
  await eventually(unread, '3', 'what was gone to is read');
  await row(page, 'letter.txt').waitFor();

  // One change leads to the very file; a folder that is muted is silent.
  await page.click('[data-bell]');
  await page.hover('[data-notice=changes]');
  await page.locator('[data-notice=changes] [aria-haspopup=menu]').click();
  await page.click('[data-action=notice-mute]');
  await page.click('[aria-label="Mark all as read"]');
  await eventually(unread, '0');
  await page.keyboard.press('Escape');
  await put('april.txt', folder);
  await put('minutes.txt', team.root_id);
  await eventually(unread, '1', 'only what is not muted');
  await page.click('[data-bell]');
  await page.click('[data-notice=changes][data-read=false] > button');
  await eventually(() => selected(page), ['minutes.txt'], 'it leads to the file');
  await page.goto(`${base}/files/${folder}`);
  await row(page, 'april.txt').waitFor();
  await page.locator('#files').click({ button: 'right', position: { x: 300, y: 500 } });
  await page.waitForSelector('[data-action=follow][aria-checked=false]');
  await page.click('[data-action=follow]');
  await put('may.txt', folder);
  await eventually(unread, '1', 'followed again');

  // An upload that cannot be done is told; all of it can be cleared, and had back.
  await page.click('[data-bell]');
  await page.waitForSelector('[data-notice]');
  const all = await page.locator('[data-notice]').count();
  assert.ok(all >= 6, `${all} notices`);
  await page.click('[aria-label="Clear all"]');
  await page.waitForSelector('text=Nothing new');
  await page.locator('button:visible', { hasText: 'Undo' }).last().click();
  await page.keyboard.press('Escape');
  await eventually(unread, '1');
  await dropFiles(page, '#files', [{ name: 'may.txt', text: 'another' }]);
  await page.waitForSelector('[role=dialog] >> text=already here');
  await eventually(unread, '2', 'an upload waits for an answer');
  await page.click('[role=dialog] >> text=Skip');
  await eventually(unread, '1', 'and does no more');
}
