// Drives the built page in a real browser against the real server. Each journey has its own browser context; one server
// and one set of files serve them all. Needs `npm run build` before, Chromium (CHROMIUM), and the server's binary
// (HOLDFAST_BIN). Words on the command line choose journeys by name.
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium } from 'playwright-core';
import * as journeys from './journeys.mjs';
import { signIn } from './steps.mjs';
import { seed } from './seed.mjs';
import { serve } from './serve.mjs';

const out = new URL('./out/', import.meta.url).pathname;
mkdirSync(out, { recursive: true });
const binary = process.env.HOLDFAST_BIN ?? new URL('../../../target/debug/holdfast', import.meta.url).pathname;
const browserPath = process.env.CHROMIUM ?? '/usr/bin/chromium';
for (const [what, path] of Object.entries({ HOLDFAST_BIN: binary, CHROMIUM: browserPath, 'npm run build': new URL('../../dist/index.html', import.meta.url).pathname })) {
  if (!existsSync(path)) {
    console.error(`${what}: there is no ${path}`);
    process.exit(2);
  }
}

const freePort = () =>
  new Promise((resolve) => {
    const probe = net.createServer().listen(0, '127.0.0.1', () => {
      const { port } = probe.address();
      probe.close(() => resolve(port));
    });
  });

const data = mkdtempSync(join(tmpdir(), 'holdfast-e2e-'));
const apiPort = await freePort();
const apiBase = `http://127.0.0.1:${apiPort}`;
let server;

/** Starts the server and waits until it says that it is ready. */
async function startServer() {
  server = spawn(binary, ['serve', '--data-dir', data, '--listen', `127.0.0.1:${apiPort}`], {
    env: { ...process.env, HOLDFAST_ADMIN_PASSWORD: 'correct-horse-9' },
    stdio: 'ignore',
  });
  for (let tries = 0; tries < 150; tries += 1) {
    if (await fetch(`${apiBase}/readyz`).then((response) => response.ok, () => false)) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error('the server did not become ready in 15 s');
}
const stopServer = () =>
  new Promise((resolve) => {
    server.once('exit', resolve);
    server.kill('SIGTERM');
  });

// However this program ends, the server does not outlive it.
process.on('exit', () => server?.kill('SIGKILL'));
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => process.exit(1));

let browser;
let pages;
let passed = 0;
const failures = [];
try {
  await startServer();
  pages = await serve(0, apiPort);
  const files = await seed(apiBase);
  browser = await chromium.launch({ executablePath: browserPath, args: ['--no-sandbox'] });
  const wanted = process.argv.slice(2);
  const chosen = Object.entries(journeys).filter(([name]) => wanted.length === 0 || wanted.some((word) => name.toLowerCase().includes(word.toLowerCase())));
  for (const [name, journey] of chosen) {
    const contexts = [];
    const troubles = [];
    /** A new browser with an empty profile. Errors of its console count as failures. */
    const open = async ({ width = 1440, height = 900, theme = 'light', language = 'en', touch = false, signedIn = true } = {}) => {
      const context = await browser.newContext({ viewport: { width, height }, colorScheme: theme, locale: language, hasTouch: touch, isMobile: touch, acceptDownloads: true });
      contexts.push(context);
      const watch = (page) => {
        page.on('pageerror', (error) => troubles.push(`error: ${error.message}`));
        page.on('console', (message) => message.type() === 'error' && !/ERR_|Failed to load resource/.test(message.text()) && troubles.push(`console: ${message.text()}`));
        page.on('request', (request) => {
          const url = new URL(request.url());
          if (url.hostname !== '127.0.0.1' && !['blob:', 'data:'].includes(url.protocol)) troubles.push(`a request left the machine: ${request.url()}`);
        });
      };
      context.on('page', watch);
      const page = await context.newPage();
      page.setDefaultTimeout(10_000);
      await page.goto(`${pages.url}/`);
      if (signedIn) await signIn(page);
      return page;
    };
    const start = performance.now();
    try {
      await journey({ open, base: pages.url, apiBase, files, network: pages.state, startServer, stopServer, out });
      if (troubles.length > 0) throw new Error(troubles.join('\n'));
      passed += 1;
      console.log(`ok    ${name} (${((performance.now() - start) / 1000).toFixed(1)} s)`);
    } catch (error) {
      failures.push(name);
      console.log(`FAIL  ${name}\n      ${String(error.stack ?? error).split('\n').slice(0, 12).join('\n      ')}`);
      if (troubles.length > 0) console.log(`      the page said: ${troubles.join('\n      ')}`);
      for (const [at, context] of contexts.entries()) {
        for (const page of context.pages()) await page.screenshot({ path: `${out}${name}-${at}.png` }).catch(() => undefined);
      }
    } finally {
      pages.state.cut = false;
      for (const context of contexts) await context.close();
    }
  }
} finally {
  await browser?.close();
  pages?.close();
  if (server?.exitCode === null) await stopServer();
  rmSync(data, { recursive: true, force: true });
}
console.log(`${passed} passed, ${failures.length} failed`);
process.exit(failures.length === 0 && passed > 0 ? 0 : 1);
