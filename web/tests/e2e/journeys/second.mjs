// A second step of signing in, tokens for programs, and the pages that letters lead to.
import AxeBuilder from '@axe-core/playwright';
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { adminPassword } from '../server.mjs';
import { eventually, signIn } from '../steps.mjs';

/** RFC 6238, as an authenticator app does it. */
function codeAt(secret, ms) {
  const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
  const bits = [...secret.replaceAll(/[^A-Z2-7]/g, '')]
    .map((letter) => letters.indexOf(letter).toString(2).padStart(5, '0'))
    .join('');
  const key = Buffer.from((bits.match(/.{8}/g) ?? []).map((byte) => Number.parseInt(byte, 2)));
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.floor(ms / 30_000)));
  const sum = createHmac('sha1', key).update(counter).digest();
  return String((sum.readUInt32BE(sum[19] & 15) & 0x7fffffff) % 1_000_000).padStart(6, '0');
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

/** An account of a journey's own: what is done to it would be in the way of the others. */
async function ownAccount(open, base, name) {
  const made = await fetch(`${base}/api/v1/register`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ name, password: adminPassword, display_name: 'Ada' }),
  });
  assert.ok([201, 409].includes(made.status), `registering: ${made.status}`);
  const page = await open({ signedIn: false });
  await signIn(page, name);
  return page;
}

export async function asksForASecondStep({ open, base, out }) {
  const page = await ownAccount(open, base, 'ada-second');
  await page.goto(`${base}/settings`);
  await page.click('text=Set up…');
  await page.fill('[role=dialog] input[type=password]', adminPassword);
  await page.keyboard.press('Enter');
  const secret = await page.locator('[data-secret]').innerText();
  await noBarriers(page, 'set-up');
  await page.screenshot({ path: `${out}second-set-up.png` });
  await page.fill('input[name=code]', '000000');
  await page.keyboard.press('Enter');
  await page.waitForSelector('text=This code is not right');
  await page.fill('input[name=code]', codeAt(secret, Date.now()));
  await page.keyboard.press('Enter');
  await page.waitForSelector('[data-recovery-code]');
  const codes = await page.locator('[data-recovery-code]').allInnerTexts();
  assert.equal(codes.length, 10);
  await noBarriers(page, 'recovery codes');
  await page.click('[role=dialog] >> text=Done');
  await page.waitForSelector('text=10 recovery codes left');

  const other = await open({ signedIn: false });
  await other.fill('input[name=username]', 'ada-second');
  await other.fill('input[name=password]', adminPassword);
  await other.keyboard.press('Enter');
  await other.waitForSelector('text=One more step');
  await noBarriers(other, 'second step');
  await other.screenshot({ path: `${out}second-step.png` });
  await other.fill('input[name=code]', '111111');
  await other.keyboard.press('Enter');
  await other.waitForSelector('[role=alert]');
  await other.click('text=Use a recovery code');
  await other.fill('input[name=code]', codes[0]);
  await other.keyboard.press('Enter');
  await other.waitForSelector('#files');
  await other.goto(`${base}/settings`);
  await other.waitForSelector('text=9 recovery codes left');
}

export async function makesATokenThatIsShownOnce({ open, base, out }) {
  const page = await ownAccount(open, base, 'ada-tokens');
  await page.goto(`${base}/settings`);
  await page.fill('input[name=display-name]', 'Ada Lovelace');
  await page.click('text="Save"');
  await eventually(
    () => page.locator('[data-account] .truncate').innerText(),
    'Ada Lovelace',
    'the sidebar has the new name',
  );
  await page.click('text=New token…');
  await page.fill('input[name=key-name]', 'Backup');
  await noBarriers(page, 'new token');
  await page.click('[role=dialog] >> text="Make"');
  const token = await page.locator('[data-secret]').innerText();
  const as = () =>
    fetch(`${base}/api/v1/me`, { headers: { authorization: `Bearer ${token}` } }).then((answer) => answer.status);
  assert.equal(await as(), 200);
  await page.click('[role=dialog] >> text=Done');
  await page.waitForSelector('[data-key=Backup]');
  assert.equal(await page.locator(`text=${token}`).count(), 0);
  await page.click('text=New key…');
  await page.fill('input[name=key-name]', 'Camera');
  await page.click('[role=dialog] >> text="Make"');
  await eventually(() => page.locator('[data-secret]').count(), 2, 'both halves of a key');
  await page.click('[role=dialog] >> text=Done');
  await noBarriers(page, 'settings');
  await page.screenshot({ path: `${out}settings.png`, fullPage: true });
  await page.click('[aria-label="Remove Backup"]');
  await page.click('[role=dialog] >> text="Remove"');
  await page.waitForSelector('[data-key=Backup]', { state: 'detached' });
  await eventually(as, 401, 'the token is good for nothing');
}

export async function saysWhatALetterLeadsTo({ open, base, out }) {
  const page = await open({ signedIn: false, width: 390, height: 800 });
  for (const [path, text] of [
    ['/verify-email#token=wrong', 'used already'],
    ['/reset-password', 'not whole'],
    ['/invitation#token=wrong', 'You are invited'],
  ]) {
    await page.goto('about:blank');
    await page.goto(base + path);
    await page.locator(`text=${text}`).first().waitFor();
    assert.ok(!page.url().includes('token'), 'the secret does not stay in the address');
    await noBarriers(page, path);
    await page.screenshot({ path: `${out}letter${path.replaceAll(/\W.*$/g, '')}${path.split(/[/#]/)[1]}.png` });
  }
  await page.goto('about:blank');
  await page.goto(`${base}/signin`);
  await page.click('text=Forgotten your password?');
  await page.fill('input[name=email]', 'nobody@example.org');
  await page.keyboard.press('Enter');
  await page.waitForSelector('text=/sends no email|Check your email/');
}
