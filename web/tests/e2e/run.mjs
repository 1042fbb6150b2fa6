// Drives the built page in a real browser against the real server. Each journey has a browser of its own, since one that has
// been through many gets slow; one server and one set of files serve them all. Needs `npm run build` before, Chromium (CHROMIUM), and the server's binary
// (HOLDFAST_BIN). Words on the command line choose journeys by name.
import { mkdirSync, readdirSync } from 'node:fs';
import { chromium } from 'playwright-core';
import { seed } from './seed.mjs';
import { serve } from './serve.mjs';
import { browserPath, checkTools, makeServer } from './server.mjs';
import { signIn } from './steps.mjs';

checkTools();
const out = new URL('./out/', import.meta.url).pathname;
mkdirSync(out, { recursive: true });
const journeys = {};
for (const file of readdirSync(new URL('./journeys/', import.meta.url)).sort())
  Object.assign(journeys, await import(`./journeys/${file}`));

const server = await makeServer();
let browser;
let pages;
let passed = 0;
const failures = [];
try {
  await server.start();
  pages = await serve(0, server.port);
  const files = await seed(server.base);
  const wanted = process.argv.slice(2);
  const chosen = Object.entries(journeys).filter(
    ([name]) => wanted.length === 0 || wanted.some((word) => name.toLowerCase().includes(word.toLowerCase())),
  );
  for (const [name, journey] of chosen) {
    const contexts = [];
    const troubles = [];
    const watch = (page) => {
      page.on('pageerror', (error) => troubles.push(`error: ${error.message}`));
      page.on(
        'console',
        (message) =>
          message.type() === 'error' &&
          !/ERR_|Failed to load resource|WebSocket connection to .* failed: (?:Connection closed|Error in connection|Error during WebSocket handshake)/.test(
            message.text(),
          ) &&
          troubles.push(`console: ${message.text()}`),
      );
      page.on('request', (request) => {
        const url = new URL(request.url());
        if (url.hostname !== '127.0.0.1' && !['blob:', 'data:'].includes(url.protocol))
          troubles.push(`a request left the machine: ${request.url()}`);
      });
    };
    /** A new browser with an empty profile. Errors of its console count as failures. */
    const open = async ({
      width = 1440,
      height = 900,
      theme = 'light',
      language = 'en',
      touch = false,
      signedIn = true,
    } = {}) => {
      const context = await browser.newContext({
        viewport: { width, height },
        colorScheme: theme,
        locale: language,
        hasTouch: touch,
        isMobile: touch,
        acceptDownloads: true,
      });
      contexts.push(context);
      context.on('page', watch);
      const page = await context.newPage();
      page.setDefaultTimeout(20_000);
      await page.goto(`${pages.url}/`);
      if (signedIn) await signIn(page);
      return page;
    };
    const start = performance.now();
    browser = await chromium.launch({ executablePath: browserPath, args: ['--no-sandbox'] });
    try {
      await journey({
        open,
        browser,
        watch,
        base: pages.url,
        apiBase: server.base,
        apiPort: server.port,
        files,
        network: pages.state,
        startServer: server.start,
        stopServer: server.stop,
        killServer: server.kill,
        out,
      });
      if (troubles.length > 0) throw new Error(troubles.join('\n'));
      passed += 1;
      console.log(`ok    ${name} (${((performance.now() - start) / 1000).toFixed(1)} s)`);
    } catch (error) {
      failures.push(name);
      console.log(
        `FAIL  ${name}\n      ${String(error.stack ?? error)
          .split('\n')
          .slice(0, 12)
          .join('\n      ')}`,
      );
      if (troubles.length > 0) console.log(`      the page said: ${troubles.join('\n      ')}`);
      for (const [at, context] of contexts.entries()) {
        for (const page of context.pages())
          await page.screenshot({ path: `${out}${name}-${at}.png` }).catch(() => undefined);
      }
    } finally {
      pages.state.cut = false;
      pages.state.deaf = false;
      pages.state.silent = false;
      pages.state.bytesPerSecond = null;
      await browser.close();
    }
  }
} finally {
  await browser?.close();
  pages?.close();
  await server.stop();
  server.remove();
}
console.log(`${passed} passed, ${failures.length} failed`);
process.exit(failures.length === 0 && passed > 0 ? 0 : 1);
