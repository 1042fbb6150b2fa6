// The ways to sign in beside name and password: a passkey, with an authenticator that the browser plays itself, and an
// identity provider, where HOLDFAST_TEST_OIDC names the folder of its packages.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { serve } from '../serve.mjs';
import { adminPassword, freePort, makeServer } from '../server.mjs';
import { signIn } from '../steps.mjs';

/** A server that knows by which address the browser reaches it: passkeys are made for a name. */
async function withAddress(config, work) {
  const port = await freePort();
  const url = `http://localhost:${port}`;
  const server = await makeServer({ config: `gateway.public_url = "${url}"\n${config}` });
  const pages = await serve(port, server.port);
  try {
    await server.start();
    await work(url, server);
  } finally {
    pages.close();
    await server.stop();
    server.remove();
  }
}

export async function signsInWithAPasskey({ browser, out }) {
  await withAddress('', async (url) => {
    const context = await browser.newContext({ locale: 'en' });
    const page = await context.newPage();
    page.setDefaultTimeout(10_000);
    const devtools = await context.newCDPSession(page);
    await devtools.send('WebAuthn.enable');
    const options = {
      protocol: 'ctap2',
      transport: 'internal',
      hasResidentKey: true,
      hasUserVerification: true,
      isUserVerified: true,
      automaticPresenceSimulation: true,
    };
    await devtools.send('WebAuthn.addVirtualAuthenticator', { options });
    await page.goto(`${url}/`);
    await signIn(page);
    await page.goto(`${url}/settings`);
    await page.click('text=Add a passkey…');
    await page.fill('[role=dialog] input[type=password]', adminPassword);
    await page.keyboard.press('Enter');
    await page.waitForSelector('[data-ways] li:has-text("Not used yet")');
    await page.screenshot({ path: `${out}passkey-settings.png` });

    await page.locator('[data-account]').click();
    await page.getByRole('menuitem', { name: 'Sign out' }).click();
    await page.waitForSelector('input[name=username]');
    await page.goto(`${url}/signin?next=/settings`);
    await page.screenshot({ path: `${out}passkey-sign-in.png` });
    await page.click('text=Sign in with a passkey');
    await page.waitForSelector('[data-ways] li:has-text("Passkey · Used")');
    assert.equal(new URL(page.url()).pathname, '/settings');
    await context.close();
  });
}

export async function signsInAtAProvider({ browser, out }) {
  const modules = process.env.HOLDFAST_TEST_OIDC;
  if (!modules) {
    console.log('      not run: HOLDFAST_TEST_OIDC does not name the packages of an identity provider');
    return;
  }
  const port = await freePort();
  const issuer = `http://127.0.0.1:${port}`;
  const config = `[[oidc]]\nid = "company"\nname = "Company account"\nissuer = "${issuer}"\nclient_id = "holdfast"\nclient_secret = "secret"\n`;
  await withAddress(config, async (url) => {
    const client = {
      client_id: 'holdfast',
      client_secret: 'secret',
      redirect_uris: [`${url}/sign-in/company`],
      post_logout_redirect_uris: [`${url}/`],
      response_types: ['code'],
      grant_types: ['authorization_code'],
      scope: 'openid profile email groups',
    };
    const script = new URL('../../../../crates/holdfast/tests/oidc/provider.mjs', import.meta.url).pathname;
    const provider = spawn('node', [script, JSON.stringify({ modules, port, clients: [client] })], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    try {
      await once(createInterface({ input: provider.stdout }), 'line');
      const person = {
        sub: '1',
        preferred_username: 'grace',
        name: 'Grace Hopper',
        email: 'grace@example.org',
        email_verified: true,
      };
      await fetch(`${issuer}/test/person`, { method: 'PUT', body: JSON.stringify(person) });
      const context = await browser.newContext({ locale: 'en' });
      const page = await context.newPage();
      page.setDefaultTimeout(10_000);
      await page.goto(`${url}/settings`);
      await page.waitForSelector('text=Company account');
      await page.screenshot({ path: `${out}provider-sign-in.png` });
      await page.click('text=Company account');
      // Back where they were going, with no code left in the address.
      await page.waitForSelector('[data-ways] li:has-text("grace@example.org")');
      assert.equal(page.url(), `${url}/settings`);
      // The account has no password: nothing to type where one is asked for, and its last way in stays.
      await page.click('[data-ways] >> text=Unlink');
      await page.waitForSelector('[role=dialog] >> text=it is enough that you signed in a moment ago');
      await page.click('[role=dialog] >> button:has-text("Unlink")');
      await page.waitForSelector('[role=alert]:has-text("Nothing would be left to sign in with")');
      await page.screenshot({ path: `${out}provider-last-way.png` });
      await context.close();
    } finally {
      provider.kill();
    }
  });
}
