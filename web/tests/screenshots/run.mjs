// Pictures of every page: `npm run screenshots` starts the real server with files of somebody's life in it and writes all
// pages × light and dark × English and Russian × three widths to `tests/e2e/out/screens` (PNG, for looking at). To
// `docs/screenshots` at the top of the repository go a sheet of each page with its twelve pictures, and a chosen few at
// full size, all as WebP. Words on the command line choose scenes by name, `--only=dark-ru` chooses forms;
// then `docs/screenshots` is left as it is. `--keep` takes no picture and renews `docs/screenshots` from those that were
// taken. Needs what `npm run e2e` needs.
import { mkdirSync } from 'node:fs';
import { chromium } from 'playwright-core';
import { serve } from '../e2e/serve.mjs';
import { browserPath, checkTools, makeServer } from '../e2e/server.mjs';
import { signIn } from '../e2e/steps.mjs';
import { fill } from './content.mjs';
import { fillOffice } from './office.mjs';
import { keep } from './keep.mjs';
import { moveIntoThePast } from './past.mjs';
import { prepare, scenes } from './scenes.mjs';

checkTools();
const out = new URL('../e2e/out/screens/', import.meta.url).pathname;
const docs = new URL('../../../docs/screenshots/', import.meta.url).pathname;
const heights = { 1440: 900, 1024: 768, 390: 844 };
const wanted = process.argv.slice(2).filter((word) => !word.startsWith('--'));
const only = (name) => wanted.length === 0 || wanted.some((word) => name.includes(word));
/** Takes no pictures and only renews what is kept, from those that were taken. */
const keepOnly = process.argv.includes('--keep');
const variant = process.argv.find((word) => word.startsWith('--only='))?.slice('--only='.length);

/** Runs inside the page: whether what is asked for by and by has come. */
function isSettled() {
  const sizes = document.querySelectorAll('#files [role=row][data-name] > [role=gridcell].text-end');
  return !document.querySelector('[data-sync] .animate-spin') && [...sizes].every((one) => one.textContent.trim());
}

const server = await makeServer();
let browser;
let pages;
let failed = 0;
let taken = 0;
try {
  browser = await chromium.launch({
    executablePath: browserPath,
    args: ['--no-sandbox', '--font-render-hinting=none'],
  });
  const blank = await browser.newPage();
  mkdirSync(out, { recursive: true });
  if (!keepOnly) {
    await server.start();
    pages = await serve(0, server.port);
  }
  const files = keepOnly ? null : await fill(server.base, blank);
  if (files) {
    await fillOffice(server.base, files);
    moveIntoThePast(server.database);
  }
  for (const theme of keepOnly ? [] : ['light', 'dark']) {
    for (const language of ['en', 'ru']) {
      for (const [width, height] of Object.entries(heights)) {
        const suffix = `${theme}-${language}-${width}`;
        if (variant && !suffix.includes(variant)) continue;
        const phone = width === '390';
        const context = await browser.newContext({
          viewport: { width: Number(width), height },
          deviceScaleFactor: phone ? 2 : 1,
          colorScheme: theme,
          locale: language,
          hasTouch: phone,
          isMobile: phone,
          reducedMotion: 'reduce',
        });
        await prepare(context);
        const page = await context.newPage();
        page.setDefaultTimeout(30_000);
        let signedIn = false;
        for (const [name, scene] of Object.entries(scenes)) {
          if (!only(name)) continue;
          try {
            if (!scene.open && !signedIn) {
              await page.goto(`${pages.url}/`);
              await signIn(page);
              await page.waitForFunction(() => navigator.serviceWorker.controller !== null);
              signedIn = true;
              // Marks, links and tags come a while after the first list.
              await page.waitForTimeout(5_000);
            }
            await page.mouse.move(1, 1);
            const env = {
              page,
              base: pages.url,
              apiBase: server.base,
              files,
              phone,
              width: Number(width),
              network: pages.state,
            };
            await scene.show(env);
            // Figures, pictures, fonts and the end of what moves.
            await page.waitForFunction(isSettled, null, { timeout: 4_000 }).catch(() => undefined);
            await page.evaluate(() => document.fonts.ready);
            await page.waitForTimeout(scene.restMs ?? 250);
            const path = `${out}${name}-${suffix}.png`;
            await page.screenshot({ path });
            taken += 1;
            await scene.leave?.(env);
          } catch (error) {
            failed += 1;
            console.log(`FAIL  ${name}-${suffix}: ${String(error).split('\n')[0]}`);
            await page.screenshot({ path: `${out}FAIL-${name}-${suffix}.png` }).catch(() => undefined);
            pages.state.cut = false;
            pages.state.bytesPerSecond = null;
          }
        }
        await context.close();
        console.log(`ok    ${suffix}`);
      }
    }
  }
  if (keepOnly || (wanted.length === 0 && !variant && failed === 0))
    console.log(await keep(blank, out, docs, Object.keys(scenes)));
} finally {
  await browser?.close();
  pages?.close();
  await server.stop();
  server.remove();
}
console.log(`${taken} pictures, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);
