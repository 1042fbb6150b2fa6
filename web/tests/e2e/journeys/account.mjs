// Signing in and out, sessions, the storage servers.
import { signIn } from '../steps.mjs';

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
