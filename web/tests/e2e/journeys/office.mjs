// Looking after people.
import AxeBuilder from '@axe-core/playwright';
import assert from 'node:assert/strict';
import { eventually, signIn } from '../steps.mjs';

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

export async function makesChangesAndSwitchesOffAnAccount({ open, base, out }) {
  const page = await open();
  await page.goto(`${base}/admin/people`);
  await page.click('text=New account…');
  await page.fill('input[name=account-name]', 'grace');
  await page.fill('input[name=account-display]', 'Grace Hopper');
  await page.fill('input[name=account-quota]', '5');
  await noBarriers(page, 'new account');
  await page.click('text=Make the account');
  const password = await page.locator('[data-secret]').innerText();
  await page.click('[role=dialog] >> text=Done');
  await page.waitForSelector('[data-person=grace] >> text=5 GB');
  await page.fill('input[type=search]', 'hopp');
  await eventually(() => page.locator('[data-person]').count(), 1, 'the search finds one');
  const grace = await open({ signedIn: false });
  await signIn(grace, 'grace', password);
  assert.equal(await grace.locator('text="Administration"').count(), 0, 'it is nothing for everybody');

  await page.click('[data-person=grace]');
  await page.waitForSelector('text=Sign out everywhere');
  await noBarriers(page, 'account');
  await page.screenshot({ path: `${out}office-account.png` });
  await page.click('text=Switched off');
  await page.click('[role=dialog] >> text="Save"');
  await page.waitForSelector('[data-person=grace] >> text=Switched off');
  await grace.reload();
  await eventually(() => grace.locator('input[name=username]').count(), 1, 'who is switched off is out', 20_000);

  await page.goto(`${base}/admin/people/log`);
  await page.waitForSelector('[data-deed=account-changed]');
  await page.selectOption('select >> nth=0', 'account-made');
  await eventually(
    async () => new Set(await page.$$eval('[data-deed]', (rows) => rows.map((row) => row.dataset.deed))).size,
    1,
    'the filter holds',
  );
  await noBarriers(page, 'log');
  await page.screenshot({ path: `${out}office-log.png` });
}

export async function invitesAndGroups({ open, base, out }) {
  const page = await open({ theme: 'dark', language: 'ru' });
  await page.goto(`${base}/admin/people/invitations`);
  await page.click('text=Пригласить…');
  await page.click('[role=dialog] button[type=submit]');
  const address = await page.locator('[data-secret]').innerText();
  await noBarriers(page, 'invitation');
  await page.click('[role=dialog] >> text=Готово');
  await page.waitForSelector('[data-invitation]');

  const guest = await open({ signedIn: false });
  await guest.goto('about:blank');
  await guest.goto(address.replace(/^https?:\/\/[^/]+/, base));
  await guest.fill('input[name=username]', 'invited');
  await guest.fill('input[name=password]', 'a-long-password');
  await guest.keyboard.press('Enter');
  await guest.waitForSelector('#files');

  await page.goto(`${base}/admin/people/groups`);
  await page.click('text=Новая группа…');
  await page.fill('input[name=group-name]', 'Editors');
  await page.keyboard.press('Enter');
  await page.fill('input[name=member]', 'invited');
  await page.click('[data-pick=invited]');
  await page.waitForSelector('[data-member=invited]');
  await noBarriers(page, 'group');
  await page.screenshot({ path: `${out}office-group.png` });
  await page.keyboard.press('Escape');
  await page.waitForSelector('[data-group=Editors] >> text=1 участник');
  const phone = await open({ width: 390, height: 800 });
  await phone.goto(`${base}/admin/people`);
  await phone.waitForSelector('[data-person=invited]');
  await noBarriers(phone, 'phone');
  await phone.screenshot({ path: `${out}office-phone.png` });
  await phone.goto(`${base}/admin/people/log`);
  await phone.waitForSelector('[data-deed]');
  await phone.screenshot({ path: `${out}office-phone-log.png` });
}
