// Signing in and out, sessions, the storage servers.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { adminPassword, binary, makeServer } from '../server.mjs';
import { serve } from '../serve.mjs';
import { click, eventually, names, onServer, ownFolder, row, settled, signIn } from '../steps.mjs';

export async function refusesAWrongPasswordAndSignsOut({ open }) {
  const page = await open({ signedIn: false });
  await page.fill('input[name=username]', 'admin');
  await page.fill('input[name=password]', 'not-the-password');
  await page.keyboard.press('Enter');
  await page.waitForSelector('[role=alert]');
  await signIn(page);
  await page.click('[data-account]');
  await page.click('[role=menuitem][data-action=sign-out]');
  await page.waitForSelector('input[name=username]');
  await page.goto(page.url().replace(/signin.*/, 'files'));
  await page.waitForSelector('input[name=username]');
}

export async function keepsTwoTabsSignedInAcrossARenewal({ open, base }) {
  const first = await open();
  const second = await first.context().newPage();
  await second.goto(`${base}/files`);
  await second.waitForSelector('[role=grid]');
  // The access token ends now, in both tabs at once: only one of them may spend the refresh token.
  await first.evaluate(
    () =>
      new Promise((resolve, reject) => {
        const request = indexedDB.open('holdfast-session');
        request.onsuccess = () => {
          const store = request.result.transaction('sessions', 'readwrite').objectStore('sessions');
          const get = store.get('current');
          get.onsuccess = () => {
            store.put({ ...get.result, accessUntil: 0 }).onsuccess = resolve;
          };
        };
        request.onerror = reject;
      }),
  );
  await Promise.all([first.goto(`${base}/settings`), second.goto(`${base}/settings`)]);
  for (const page of [first, second]) await page.waitForSelector('text=This browser');
}

/** A server registers itself: what the page shows for it is what the program takes. */
export async function showsHowAServerIsAdded({ open, base }) {
  const page = await open();
  await page.goto(`${base}/admin/servers`);
  await page.click('text="Add a server…"');
  const shown = await page.locator('[role=dialog] code').first().innerText();
  assert.ok(shown.includes(`join = ["${base}"]`), shown);
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-join-'));
  try {
    const secret = join(folder, 'secret');
    writeFileSync(secret, 'c0ffee'.repeat(11));
    const file = join(folder, 'node.toml');
    writeFileSync(file, shown.replace('/etc/holdfast/cluster-secret', secret));
    const taken = execFileSync(binary, ['config', '--config', file], { encoding: 'utf8', timeout: 20_000 });
    assert.match(taken, /roles = \["node"\]/);
    assert.ok(taken.includes(base), 'it joins here');
  } finally {
    rmSync(folder, { recursive: true });
  }
}

export async function drainsAServerAndTakesItBack({ open, base }) {
  const page = await open();
  await page.goto(`${base}/admin/servers`);
  await page.waitForSelector('text=Server 6');
  await page.click('[aria-label="Actions for Server 6"]');
  await page.click('[role=menuitem][data-action=drain]');
  await page.click('[role=dialog] >> text=Empty this server');
  // With six servers and six parts a drain is refused or begins; either way the page says what is so.
  await page.waitForSelector('text=/Emptying|too few servers/');
  if ((await page.locator('text=Emptying').count()) > 0) {
    await page.click('[aria-label="Actions for Server 6"]');
    await page.click('[role=menuitem][data-action=activate]');
    await page.waitForSelector('text=Emptying', { state: 'detached' });
  }
}

export async function registersAndSaysWhenThatIsClosed({ open, base }) {
  const page = await open({ signedIn: false });
  await page.click('text=Create an account');
  // The page before has fields of these names too.
  await page.waitForSelector('input[name=display-name]');
  await page.fill('input[name=username]', 'admin');
  await page.fill('input[name=password]', 'long-enough-1');
  await page.keyboard.press('Enter');
  await page.waitForSelector('text=This name is taken.');
  await page.fill('input[name=username]', 'ada');
  await page.fill('input[name=display-name]', 'Ada Lovelace');
  await page.fill('input[name=password]', 'short');
  await page.keyboard.press('Enter');
  await page.waitForSelector('input[name=password][aria-invalid=true]');
  await page.fill('input[name=password]', 'long-enough-1');
  await page.keyboard.press('Enter');
  await page.waitForSelector('text=Nothing here yet');
  await page.waitForSelector('[data-account]:has-text("Ada Lovelace")');
  assert.equal(page.url(), `${base}/files`);

  const closed = await makeServer({ config: '[accounts]\nregistration = "closed"\n' });
  const pages = await serve(0, closed.port);
  try {
    await closed.start();
    const other = await page.context().browser().newPage();
    await other.goto(`${pages.url}/register`);
    await other.waitForSelector('[role=alert]:has-text("Registration is closed here")');
    assert.equal(await other.locator('input[name=password]').count(), 0);
    await other.close();
  } finally {
    pages.close();
    await closed.stop();
    closed.remove();
  }
}

/** The page where people sign in is the server's own: its name, its welcome, and the way to an account only where there is one. */
export async function welcomesInTheServersName({ open, out }) {
  const server = await makeServer({ config: '[accounts]\nregistration = "invitation"\n' });
  const pages = await serve(0, server.port);
  try {
    await server.start();
    const json = { 'content-type': 'application/json' };
    const send = (method, path, body, headers = {}) =>
      fetch(`${server.base}/api/v1${path}`, { method, headers: { ...json, ...headers }, body: JSON.stringify(body) });
    const { access_token: token } = await (
      await send('POST', '/login', { name: 'admin', password: adminPassword, client: 'test' })
    ).json();
    const admin = { authorization: `Bearer ${token}` };
    const welcome = 'Photographs and papers of the harbour museum. Questions go to Mia, room 12.';
    assert.equal((await send('PATCH', '/admin/settings', { name: 'Harbour museum', welcome }, admin)).status, 200);

    const context = await (await open({ signedIn: false })).context().browser().newContext();
    const page = await context.newPage();
    await page.goto(`${pages.url}/signin`);
    await page.getByRole('heading', { name: 'Harbour museum' }).waitFor();
    await page.getByText(welcome, { exact: true }).waitFor();
    await eventually(() => page.title(), 'Sign in · Harbour museum');
    assert.equal(await page.getByText('Create an account').count(), 0, 'nobody is sent to where they are turned away');
    await page.screenshot({ path: `${out}welcome.png` });
    await page.goto(`${pages.url}/register`);
    await page.locator('[role=alert]').getByText('Registration is by invitation only').waitFor();

    // Who has an invitation finds back to it from the sign-in page.
    const invitation = await (await send('POST', '/admin/invitations', {}, admin)).json();
    await page.goto('about:blank');
    await page.goto(`${pages.url}/invitation#token=${invitation.token}`);
    await page.getByRole('link', { name: 'Sign in' }).click();
    await page.getByRole('link', { name: 'Create an account' }).click();
    await page.fill('input[name=username]', 'lena');
    await page.fill('input[name=password]', 'long-enough-1');
    await page.keyboard.press('Enter');
    await page.waitForSelector('text=Nothing here yet');
    await eventually(() => page.title(), 'My files · Harbour museum');
    await page.locator('aside').getByText('Harbour museum', { exact: true }).waitFor();
    await context.close();
  } finally {
    pages.close();
    await server.stop();
    server.remove();
  }
}

/** Two people share one browser: neither sees the other's names, and what one has not sent waits for them. */
export async function keepsTwoAccountsOfOneBrowserApart({ open, files, base, apiBase, network }) {
  const made = await fetch(`${apiBase}/api/v1/register`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ name: 'guest', password: 'long-enough-1' }),
  });
  assert.ok([201, 409].includes(made.status));
  const page = await open();
  const folder = await ownFolder(page, files, base, 'Only mine');
  await files.file('secret.txt', 's', 'text/plain', folder);
  await row(page, 'secret.txt').waitFor();
  await page.waitForFunction(() => navigator.serviceWorker.controller !== null);
  network.cut = true;
  await click(page, 'secret.txt');
  await page.keyboard.press('Control+c');
  await page.keyboard.press('F2');
  await page.locator('[role=grid] input').fill('renamed offline.txt');
  await page.keyboard.press('Enter');
  await row(page, 'renamed offline.txt').waitFor();
  const leave = async (force) => {
    await page.click('[data-account]');
    await page.click('[role=menuitem][data-action=sign-out]');
    if (force) await page.locator('[role=dialog]').getByRole('button', { name: 'Sign out' }).click();
    await page.waitForSelector('input[name=username]');
  };
  await leave(true);
  network.cut = false;
  await signIn(page, 'guest', 'long-enough-1');
  await page.waitForSelector('text=Nothing here yet');
  await page.focus('#files');
  await page.keyboard.press('Control+v');
  await page.keyboard.press('Control+z');
  await page.keyboard.press('Control+k');
  await page.keyboard.type('secret');
  await page.waitForSelector('text=Nothing by that name');
  await page.keyboard.press('Escape');
  await settled(page);
  assert.deepEqual(await onServer(files, folder), ['secret.txt'], 'the other one sends nothing of it');
  await leave(false);
  await signIn(page);
  await eventually(() => onServer(files, folder), ['renamed offline.txt'], 'it is sent when its owner is back', 20_000);
  await page.goto(`${base}/files/${folder}`);
  await eventually(() => names(page), ['renamed offline.txt']);
}

/** What fills the space adds up to what the server says is used. */
export async function showsWhatFillsTheSpace({ open, files, base }) {
  const folder = await files.folder('Usage');
  const kept = await files.file('kept.bin', 'a'.repeat(300_000), 'application/octet-stream', folder);
  assert.equal(
    (await files.call('PUT', `/files/${kept}`, 'b'.repeat(200_000), { 'content-type': 'application/octet-stream' }))
      .status,
    200,
  );
  const gone = await files.file('gone.bin', 'c'.repeat(100_000), 'application/octet-stream', folder);
  assert.equal((await files.call('DELETE', `/files/${gone}`)).status, 204);
  const page = await open();
  const told = page.waitForResponse((response) => response.url().endsWith('/usage'));
  await page.goto(`${base}/settings`);
  const usage = await (await told).json();
  assert.equal(usage.files_bytes + usage.versions_bytes + usage.trash_bytes + usage.removing_bytes, usage.used_bytes);
  assert.ok(usage.versions_bytes >= 300_000 && usage.trash_bytes >= 100_000);
  const panel = page.locator('[data-usage]');
  await panel.locator('dd').first().waitFor();
  const lines = await panel
    .locator('dl > div')
    .evaluateAll((rows) =>
      rows.map((row) => [row.querySelector('dt').textContent.trim(), row.querySelector('dd').textContent.trim()]),
    );
  assert.deepEqual(
    lines.slice(0, 3).map(([name]) => name),
    ['Files', 'Earlier versions', 'Trash'],
  );
  assert.ok(
    lines.every(([, size]) => /^\d/.test(size)),
    String(lines),
  );
}

/** What the browser holds of an account. */
const leftOf = (page, account) =>
  page.evaluate(async (id) => {
    const root = await navigator.storage.getDirectory();
    const left = (await indexedDB.databases()).map((one) => one.name).filter((name) => name.endsWith(id));
    for await (const name of root.keys()) if (name.endsWith(id)) left.push(name);
    return [...left, ...Object.keys(localStorage).filter((key) => key.endsWith(id))].sort();
  }, account);

export async function leavesNothingOnTheDeviceWhenAsked({ open, files, base, network }) {
  const page = await open();
  const folder = await ownFolder(page, files, base, 'On a borrowed laptop');
  await files.file('diary.txt', 'Dear diary', 'text/plain', folder);
  await row(page, 'diary.txt').waitFor();
  await page.waitForFunction(() => navigator.serviceWorker.controller !== null);
  await click(page, 'diary.txt', { button: 'right' });
  await page.click('[role=menuitemcheckbox][data-action=keep-offline]');
  await row(page, 'diary.txt').locator('[data-kept=kept]').waitFor();
  const account = (await (await files.call('GET', '/me')).json()).id;
  assert.ok((await leftOf(page, account)).length >= 2);
  // Another tab of the same browser holds the same things open.
  const other = await page.context().newPage();
  await other.goto(`${base}/files/${folder}`);
  await row(other, 'diary.txt').waitFor();
  // With a change that is not sent it says what would be lost; not chosen, everything stays.
  network.cut = true;
  await click(page, 'diary.txt');
  await page.keyboard.press('F2');
  await page.locator('[role=grid] input').fill('unsent.txt');
  await page.keyboard.press('Enter');
  await row(page, 'unsent.txt').waitFor();
  await page.click('[data-account]');
  await page.click('[role=menuitem][data-action=sign-out]');
  const dialog = page.locator('[role=dialog]');
  await dialog.getByText('It stays on this device').waitFor();
  await dialog.getByLabel('Remove my files from this device').check();
  await dialog.getByText('will be lost').waitFor();
  await dialog.getByRole('button', { name: 'Cancel' }).click();
  network.cut = false;
  await settled(page);
  // From the settings it is the wish itself.
  await page.goto(`${base}/settings`);
  await page.click('[data-clear-device]');
  assert.equal(await dialog.getByLabel('Remove my files from this device').isChecked(), true);
  await dialog.getByRole('button', { name: 'Sign out' }).click();
  await page.waitForSelector('input[name=username]');
  await page.waitForSelector('text=Nothing of yours is left on this device');
  await other.waitForSelector('input[name=username]');
  assert.deepEqual(await leftOf(page, account), []);
  await signIn(page);
  await page.goto(`${base}/files/${folder}`);
  await row(page, 'unsent.txt').waitFor();
}
