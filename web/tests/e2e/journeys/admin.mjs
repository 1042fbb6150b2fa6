// The pages about the installation: health, plans, spaces, unfinished uploads, settings, background work, zones.
import AxeBuilder from '@axe-core/playwright';
import assert from 'node:assert/strict';
import { serve } from '../serve.mjs';
import { freePort, makeServer } from '../server.mjs';
import { eventually, signIn } from '../steps.mjs';

const password = 'long-enough-1';
const dialog = (page) => page.locator('[role=dialog]');

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
const json = (answer) => answer.then((response) => response.json());

/** Somebody with an account, and what they can call. */
async function person(apiBase, name, displayName) {
  const headers = { 'content-type': 'application/json' };
  await fetch(`${apiBase}/api/v1/register`, {
    method: 'POST',
    headers,
    body: JSON.stringify({ name, password, display_name: displayName }),
  });
  const tokens = await json(
    fetch(`${apiBase}/api/v1/login`, {
      method: 'POST',
      headers,
      body: JSON.stringify({ name, password, client: 'test' }),
    }),
  );
  const auth = { authorization: `Bearer ${tokens.access_token}` };
  const call = (method, path, body, more = {}) =>
    fetch(`${apiBase}/api/v1${path}`, {
      method,
      headers: { ...auth, ...headers, ...more },
      body: typeof body === 'string' ? body : body && JSON.stringify(body),
    });
  return { id: tokens.user.id, spaceId: tokens.user.space_id, call };
}
/** A team's space whose only manager may not be used any more. */
async function orphan(files, apiBase, who, displayName, space) {
  const maker = await person(apiBase, who, displayName);
  await maker.call('POST', '/spaces', { name: space });
  assert.equal((await files.call('PATCH', `/admin/users/${maker.id}`, { disabled: true })).status, 200);
}

export async function makesChangesAndGivesPlans({ open, base, files, apiBase, out }) {
  const hedy = await person(apiBase, 'hedy', 'Hedy Lamarr');
  await hedy.call('POST', '/files?name=Frequencies.bin', 'x'.repeat(1_500_000), {
    'content-type': 'application/octet-stream',
  });

  const page = await open();
  await page.goto(`${base}/admin/plans`);
  await page.waitForSelector('text=No plans yet');
  await page.click('text=New plan…');
  await page.fill('input[name=plan-name]', 'Guests');
  await page.fill('input[name=storage_bytes]', 'a lot');
  await page.fill('input[name=trash_days]', '0');
  await eventually(() => dialog(page).locator('[aria-invalid=true]').count(), 2, 'what cannot be is said at its field');
  await page.fill('input[name=storage_bytes]', '1.5');
  await page.fill('input[name=trash_days]', '7');
  await page.fill('input[name=members]', '3');
  await noBarriers(page, 'new plan');
  await page.click('text=Make the plan');
  const plan = page.locator('[data-plan=Guests]');
  await plan.getByText('1.5 GB').waitFor();
  await plan.getByText('7 days').waitFor();
  const onServer = async () =>
    (await json(files.call('GET', '/admin/plans'))).items.find((one) => one.name === 'Guests');
  assert.deepEqual((await onServer()).limits, {
    storage_bytes: 1_500_000_000,
    file_bytes: null,
    versions_kept: null,
    trash_days: 7,
    links: null,
    members: 3,
  });

  // Given to somebody.
  await plan.getByRole('button', { name: 'Actions for the plan “Guests”' }).click();
  await page.click('[role=menuitem][data-action=give]');
  await page.fill('input[name=plan-space]', 'lamarr');
  await page.click('[data-give="Hedy Lamarr"]');
  await dialog(page).getByText('Nobody is over these limits, and nothing is deleted.').waitFor();
  await noBarriers(page, 'give a plan');
  await page.click('text=Give to 1 space');
  await plan.getByText('used by 1 space').waitFor();
  assert.equal((await json(hedy.call('GET', `/spaces/${hedy.spaceId}/plan`))).plan_name, 'Guests');

  // A smaller room is told of before it is saved, and nothing changes until then.
  await plan.getByRole('button', { name: /^Guests/ }).click();
  await page.fill('input[name=storage_bytes]', '1');
  await dialog(page).getByLabel('Unit').first().selectOption('MB');
  await page.waitForSelector('[data-effect-line=spaces_over_storage]');
  assert.equal((await onServer()).limits.storage_bytes, 1_500_000_000, 'a preview changes nothing');
  await noBarriers(page, 'preview');
  await page.screenshot({ path: `${out}admin-plan.png` });
  await dialog(page).getByRole('button', { name: 'Save' }).click();
  await plan.getByText('1 MB', { exact: true }).waitFor();
  assert.equal(
    (await hedy.call('POST', '/files?name=More.bin', 'x'.repeat(10), { 'content-type': 'application/octet-stream' }))
      .status,
    507,
    'it holds',
  );

  // The name is another plan's.
  await page.click('text=New plan…');
  await page.fill('input[name=plan-name]', 'guests');
  await page.click('text=Make the plan');
  await dialog(page).getByText('Another plan has this name.').waitFor();
  await page.keyboard.press('Escape');

  // A plan that spaces have stays; taken from them it goes.
  await plan.getByRole('button', { name: 'Actions for the plan “Guests”' }).click();
  assert.equal(await page.locator('[role=menuitem][data-action=delete]').getAttribute('data-disabled'), '');
  await page.keyboard.press('Escape');
  await page.goto(`${base}/admin/spaces`);
  await page.fill('input[name=space-search]', 'hedy');
  await page.locator('[data-space="Hedy Lamarr"] button').click();
  await page.getByLabel('Plan', { exact: true }).last().selectOption('');
  await page.waitForSelector('[role=dialog] [data-effect]');
  await dialog(page).getByRole('button', { name: 'Save' }).click();
  await dialog(page).waitFor({ state: 'detached' });
  await page.goto(`${base}/admin/plans`);
  await plan.getByRole('button', { name: 'Actions for the plan “Guests”' }).click();
  await page.click('[role=menuitem][data-action=delete]');
  await dialog(page).getByRole('button', { name: 'Delete the plan' }).click();
  await page.waitForSelector('text=No plans yet');
}

export async function looksAfterSpaces({ open, base, files, apiBase, out }) {
  await orphan(files, apiBase, 'emil', 'Emil Post', 'Machines');
  await person(apiBase, 'alonzo', 'Alonzo Church');
  const page = await open();
  await page.goto(`${base}/admin`);
  await page.locator('[data-warning=orphans]').click();
  await page.waitForURL(/\/admin\/spaces\?unmanaged/);
  await eventually(() => page.locator('[data-space]').count(), 1, 'only the one that nobody manages');
  await page.locator('[data-space=Machines] button').click();
  await page.waitForSelector('text=Nobody manages this space any more');
  await noBarriers(page, 'orphan');
  await page.screenshot({ path: `${out}admin-orphan.png` });
  await page.fill('input[name=manager]', 'emil');
  await dialog(page).getByText('Nobody by that name').waitFor();
  await page.fill('input[name=manager]', 'church');
  await page.click('[data-pick=alonzo]');
  await page.waitForSelector('text=Every team has somebody who manages it');

  await page.click('text=Only teams that nobody manages');
  await page.getByLabel('Kind', { exact: true }).selectOption('team');
  const space = page.locator('[data-space=Machines]');
  await space.locator('button').click();
  await page.waitForSelector('text=1 manages it');
  await page
    .locator('[data-room-of-space]')
    .or(page.getByLabel('Storage', { exact: true }))
    .last()
    .selectOption('own');
  assert.equal(
    await dialog(page).getByRole('button', { name: 'Save' }).isDisabled(),
    true,
    'a room of its own has a size',
  );
  await page.fill('input[name=own-room]', '3');
  await dialog(page).getByRole('button', { name: 'Save' }).click();
  await space.getByText('of 3 GB').waitFor();
  await space.getByText('room of its own').waitFor();

  await space.locator('button').click();
  await page.click('[data-end-space]');
  const end = dialog(page).getByRole('button', { name: 'Delete for good' });
  await page.fill('input[name=end-name]', 'Machine');
  assert.equal(await end.isDisabled(), true, 'the whole name is typed');
  await page.fill('input[name=end-name]', 'Machines');
  await noBarriers(page, 'end of a space');
  await end.click();
  await space.waitFor({ state: 'detached' });
  const { items } = await json(files.call('GET', '/admin/spaces?kind=team&search=Machines'));
  assert.deepEqual(items, []);
}

export async function cancelsAnUnfinishedUpload({ open, base, files, apiBase, out }) {
  const nora = await person(apiBase, 'nora', 'Nora Barnacle');
  const begun = await nora.call('POST', '/uploads', 'x'.repeat(1000), {
    'tus-resumable': '1.0.0',
    'upload-length': '4000000',
    'upload-metadata': `filename ${Buffer.from('Letters.zip').toString('base64')}`,
    'content-type': 'application/offset+octet-stream',
  });
  assert.equal(begun.status, 201);
  const page = await open();
  await page.goto(`${base}/admin/spaces`);
  await page.getByRole('radio', { name: 'Unfinished uploads' }).check();
  const upload = page.locator('[data-upload=nora]');
  await upload.getByText('reserves 4 MB').waitFor();
  await noBarriers(page, 'uploads');
  await page.screenshot({ path: `${out}admin-uploads.png` });
  await upload.getByRole('button').click();
  await dialog(page).getByRole('button', { name: 'Cancel the upload' }).click();
  await upload.waitFor({ state: 'detached' });
  assert.deepEqual((await json(files.call('GET', `/admin/uploads?user=${nora.id}`))).items, []);
  assert.equal((await json(files.call('GET', `/admin/spaces/${nora.spaceId}`))).reserved_bytes, 0);
}

export async function changesSettingsOfTheServer({ open, base, files, apiBase, out }) {
  const page = await open({ theme: 'dark', language: 'ru' });
  await page.goto(`${base}/admin/settings`);
  const of = (key) => page.locator(`[data-setting=${key}]`);
  const onServer = async (key) =>
    (await json(files.call('GET', '/admin/settings'))).items.find((one) => one.key === key);
  await of('trash_days').locator('input').fill('много');
  await page.keyboard.press('Enter');
  await of('trash_days').getByText('Целое число дней от 0 до 36 500.').waitFor();
  assert.equal((await onServer('trash_days')).source, 'configuration', 'nothing was changed');
  await noBarriers(page, 'a refused setting');
  await of('trash_days').locator('input').fill('14');
  await of('trash_days').getByRole('button', { name: 'Сохранить' }).click();
  await of('trash_days').getByText('Задано здесь · в конфигурации: 30 дней').waitFor();
  assert.equal((await onServer('trash_days')).value, 14);
  await page.screenshot({ path: `${out}admin-settings.png` });
  await of('trash_days').locator('[data-default]').click();
  await of('trash_days').getByText('Из конфигурации', { exact: true }).waitFor();
  assert.equal(await of('trash_days').locator('input').inputValue(), '30');
  assert.equal((await onServer('trash_days')).source, 'configuration');

  // What is written and not saved is left with Escape.
  await of('name').locator('input').fill('Архив');
  await page.keyboard.press('Escape');
  assert.equal(await of('name').locator('input').inputValue(), 'Holdfast');
  await of('name').locator('input').fill('Архив');
  await page.keyboard.press('Enter');
  await page.waitForFunction(() => document.title.endsWith('· Архив'));
  await of('name').locator('[data-default]').click();
  await page.waitForFunction(() => document.title.endsWith('· Holdfast'));
  await of('welcome').locator('textarea').fill('Спросите Анну.');
  await of('welcome').getByRole('button', { name: 'Сохранить' }).click();
  await of('welcome').getByText('Задано здесь').waitFor();
  await eventually(
    async () => (await json(fetch(`${apiBase}/api/v1/public/instance`))).welcome,
    'Спросите Анну.',
    'everybody sees it',
  );

  // A switch counts at once, and can be taken back at once.
  await of('link_password').getByRole('radio', { name: 'Вкл' }).check();
  await of('link_password').getByText('Задано здесь').waitFor();
  assert.equal((await onServer('link_password')).value, true);
  await page.getByRole('button', { name: 'Отменить' }).last().click();
  await of('link_password').getByText('Из конфигурации', { exact: true }).waitFor();
  assert.equal((await onServer('link_password')).value, false);
  await of('welcome').locator('[data-default]').click();
  await of('welcome').getByText('Из конфигурации', { exact: true }).waitFor();

  await page.goto(`${base}/admin/people/log`);
  await page.locator('[data-deed=settings-changed]').getByText('Время в корзине').first().waitFor();
}

/** The log of one account, found by name however many there are. */
export async function narrowsTheLogToAnAccount({ open, base, apiBase, out }) {
  await person(apiBase, 'lena', 'Lena Larsson');
  const page = await open();
  await page.goto(`${base}/admin/people/log`);
  await page.locator('[data-deed]').first().waitFor();
  await page.fill('input[name=log-account]', 'larss');
  await page.click('[data-pick=lena]');
  await page.locator('[data-log-of]', { hasText: 'Lena Larsson' }).waitFor();
  const lines = async () => page.locator('[data-deed]').allInnerTexts();
  await eventually(async () => (await lines()).every((line) => line.includes('Lena')), true, 'hers alone');
  assert.ok((await lines()).length > 0);
  await noBarriers(page, 'the log of an account');
  await page.screenshot({ path: `${out}admin-log.png` });
  await page.click('[data-log-of] button');
  await eventually(async () => (await lines()).some((line) => !line.includes('Lena')), true, 'all again');
}

export async function retriesAndCancelsWork({ browser, watch, out }) {
  const sqlite = await import('node:sqlite').catch(() => null);
  if (!sqlite) {
    console.log('      not run: this Node has no node:sqlite; npm run e2e has a newer one');
    return;
  }
  // Letters that nobody takes: there is no mail server at that port.
  const server = await makeServer({
    config: `gateway.public_url = "http://127.0.0.1"\n[mail]\nserver = "smtp://127.0.0.1:${await freePort()}"\nfrom = "Files <files@example.org>"\n`,
  });
  const pages = await serve(0, server.port);
  try {
    await server.start();
    const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, locale: 'en' });
    context.on('page', watch);
    const page = await context.newPage();
    page.setDefaultTimeout(10_000);
    await page.goto(`${pages.url}/`);
    await signIn(page);
    await page.goto(`${pages.url}/admin/people/invitations`);
    for (const name of ['ann', 'bob', 'cid']) {
      await page.click('text=Invite…');
      await page.fill('input[name=invite-email]', `${name}@example.org`);
      await page.click('[role=dialog] button[type=submit]');
      await page.click('[role=dialog] >> text=Done');
      await dialog(page).waitFor({ state: 'detached' });
    }
    await page.goto(`${pages.url}/admin/jobs`);
    await page.waitForSelector('text=Nothing was given up');
    await page.locator('[data-queue=mail]').getByText('3', { exact: true }).waitFor();
    await page.getByRole('radio', { name: 'Waiting' }).check();
    await eventually(() => page.locator('[data-job=mail][data-state=waiting]').count(), 3, 'three letters wait');
    await page.locator('[data-job=mail]').first().getByRole('button', { name: 'Cancel' }).click();
    await eventually(() => page.locator('[data-job=mail]').count(), 2, 'one is left undone');

    // Twelve attempts take an hour and a half, so their end is written down here as the server would.
    const database = new sqlite.DatabaseSync(server.database);
    database.exec('PRAGMA busy_timeout = 5000');
    database
      .prepare(
        "UPDATE job SET state = 1, attempts = 12, lease = lease + 1, error = 'connection refused' WHERE kind = 'mail'",
      )
      .run();
    database.close();
    await page.getByRole('radio', { name: 'Given up' }).check();
    await eventually(() => page.locator('[data-job=mail][data-state=dead]').count(), 2, 'two were given up');
    await page.locator('[data-job=mail] button[aria-expanded]').first().click();
    await page.getByLabel('What it is about').waitFor();
    await noBarriers(page, 'jobs');
    await page.screenshot({ path: `${out}admin-jobs.png` });
    await page.goto(`${pages.url}/admin`);
    await page.locator('[data-warning=dead]').getByText('2 background tasks were given up').click();
    await page.locator('[data-queue=mail]').getByRole('button', { name: 'Try all again: Send an email' }).click();
    await page.waitForSelector('text=2 tasks are tried again');
    await page.waitForSelector('text=Nothing was given up');
    await context.close();
  } finally {
    pages.close();
    await server.stop();
    server.remove();
  }
}

export async function showsHealthAndZones({ open, base, out }) {
  const page = await open();
  await page.keyboard.press('Control+k');
  await page.keyboard.type('health');
  await page.keyboard.press('Enter');
  await page.waitForSelector('[data-health]');
  for (const tile of ['disks', 'parts', 'moves', 'scrub', 'work', 'spaces'])
    await page.locator(`[data-tile=${tile}] h2`).waitFor();
  assert.equal(await page.locator('[data-tile=disks] [data-bar]').count(), 6);
  await page.locator('[data-tile=spaces] [data-bar]').first().waitFor();
  await noBarriers(page, 'health');
  await page.screenshot({ path: `${out}admin-health.png` });

  // Every page by keyboard, from the list beside it.
  const list = page.getByRole('navigation', { name: 'Administration' });
  await list.getByRole('link', { name: 'Zones' }).focus();
  await page.keyboard.press('Enter');
  await page.waitForSelector('text=This installation is one zone');
  assert.equal(await page.locator('[data-place]').count(), 0, 'nothing is made up');
  await noBarriers(page, 'zones');

  for (const theme of ['light', 'dark']) {
    const phone = await open({ width: 390, height: 844, theme, language: 'ru', touch: true });
    for (const path of [
      '',
      '/people',
      '/people/log',
      '/plans',
      '/spaces',
      '/spaces/uploads',
      '/settings',
      '/jobs',
      '/servers',
      '/zones',
    ]) {
      await phone.goto(`${base}/admin${path}`);
      await phone.waitForSelector('[aria-current=page]');
      await phone.waitForLoadState('networkidle');
      const wide = await phone.evaluate(
        () => document.querySelector('#files').scrollWidth - document.querySelector('#files').clientWidth,
      );
      assert.ok(wide <= 0, `${path} is ${wide} px wider than the phone`);
    }
  }
}

export async function showsEachOnlyWhatIsTheirs({ open, base, files, apiBase }) {
  const kurt = await person(apiBase, 'kurt', 'Kurt Gödel');
  await files.call('PATCH', `/admin/users/${kurt.id}`, { permissions: ['files', 'share', 'admin.users'] });
  const page = await open({ signedIn: false });
  await signIn(page, 'kurt', password);
  await page.getByRole('link', { name: 'Administration' }).click();
  await page.waitForSelector('[data-tile=spaces] [data-bar]');
  assert.equal(await page.locator('[data-tile=disks]').count(), 0);
  const list = page.getByRole('navigation', { name: 'Administration' });
  assert.deepEqual(await list.getByRole('link').allInnerTexts(), [
    'Health at a glance',
    'People and groups',
    'Plans',
    'All spaces',
    'Server settings',
  ]);
  await page.goto(`${base}/admin/jobs`);
  await page.waitForSelector('text=Your account may not see this page.');
}

export async function deletesAnAccountAndHandsItsFilesOver({ open, base, files, apiBase }) {
  const rosa = await person(apiBase, 'rosa', 'Rosa Luxemburg');
  await rosa.call('POST', '/files?name=Letters.txt', 'Dear Sophie', { 'content-type': 'text/plain' });
  const page = await open();
  await page.goto(`${base}/admin/people`);
  await page.click('[data-person=rosa]');
  await page.click('[data-end-account]');
  const end = dialog(page).getByRole('button', { name: 'Delete for good' });
  await page.fill('input[name=end-name]', 'rosa');
  assert.equal(await end.isDisabled(), true, 'somebody has to get the files');
  await page.fill('input[name=heir]', 'admin');
  await page.click('[data-pick=admin]');
  await noBarriers(page, 'end of an account');
  await end.click();
  await page.locator('[data-person=rosa]').waitFor({ state: 'detached' });
  const { items } = await json(files.call('GET', '/admin/spaces?kind=team&search=rosa'));
  assert.equal(items.length, 1, 'her files are a space of a team');
  assert.equal((await files.call('DELETE', `/admin/spaces/${items[0].id}`)).status, 204);
  await page.goto(`${base}/admin/people`);
  await page.click('[data-person=admin]');
  await page.waitForSelector('text=Sign out everywhere');
  assert.equal(await page.locator('[data-end-account]').count(), 0, 'nobody deletes themselves here');
}
