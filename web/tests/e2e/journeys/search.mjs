// Searching: words and operators, chips, what can be done with what was found, without a connection, and with many entries.
import AxeBuilder from '@axe-core/playwright';
import assert from 'node:assert/strict';
import { click, eventually, names, onServer, ownFolder, putMany, row, selected, settled } from '../steps.mjs';

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
const chips = (page) => page.$$eval('[data-chip]', (list) => list.map((one) => one.dataset.chip));
const query = (page) => new URL(page.url()).searchParams.get('q');

export async function searchesWithOperatorsAndChips({ open, files, base, out }) {
  const page = await open();
  const folder = await ownFolder(page, files, base, 'Searched');
  const deep = await files.folder('Глубже', folder);
  await files.file('Ёлка зимой.png', Buffer.from('x'), 'image/png', deep);
  await files.file('elka notes.txt', 'notes', 'text/plain', folder);
  await files.file('big elka.bin', Buffer.alloc(1_300_000), 'application/octet-stream', deep);
  // No other journey has such names.
  for (const name of ['Quagga 2.pdf', 'Quagga 10.pdf']) await files.file(name, '%PDF-1.7', 'application/pdf', folder);
  await row(page, 'Quagga 10.pdf').waitFor();
  // Typed on at once, before the page is there.
  await page.focus('#files');
  await page.keyboard.press('/');
  await page.keyboard.type('quagga');
  await eventually(() => names(page), ['Quagga 2.pdf', 'Quagga 10.pdf'], 'found by its name');
  await eventually(() => query(page), 'quagga', 'the address holds the query');
  assert.equal(await page.locator('input[name=q]').inputValue(), 'quagga');
  await page.keyboard.press('Control+a');
  await page.keyboard.type('елка');
  await eventually(() => names(page), ['Ёлка зимой.png'], 'without regard to case and ё');

  await page.keyboard.press('Control+a');
  await page.keyboard.type('elka kind:text ');
  await eventually(() => chips(page), ['kind:text'], 'an operator becomes a chip');
  assert.equal((await page.locator('input[name=q]').inputValue()).trim(), 'elka');
  await eventually(() => names(page), ['elka notes.txt']);
  await page.click('[aria-label="Remove the filter “Text”"]');
  await eventually(() => names(page), ['elka notes.txt', 'big elka.bin']);
  await page.click('[data-filter=size]');
  await page.click('[data-action="size->1MB"]');
  await eventually(() => names(page), ['big elka.bin'], 'the menu narrows it');
  await page.click('[data-filter=where]');
  await page.click(`[data-action="in:${folder}"]`);
  await eventually(() => chips(page), ['size:>1MB', `in:${folder}`]);
  await eventually(() => names(page), ['big elka.bin']);
  await noBarriers(page, 'results');
  await page.screenshot({ path: `${out}search-results.png` });

  // What was found is there to be worked with.
  await click(page, 'big elka.bin');
  await page.keyboard.press('F2');
  await page.locator('[role=grid] input').fill('great elka.bin');
  await page.keyboard.press('Enter');
  await eventually(
    () => onServer(files, deep),
    ['great elka.bin', 'Ёлка зимой.png'].sort(),
    'renamed from the results',
  );
  await eventually(() => names(page), ['great elka.bin']);
  await page.keyboard.press('Control+Enter');
  await page.waitForFunction(() => document.querySelector('nav h1')?.textContent?.trim() === 'Глубже');
  await eventually(() => selected(page), ['great elka.bin'], 'shown in its folder');
  await page.goBack();
  await eventually(() => names(page), ['great elka.bin'], 'the way back leads to the search');
  await click(page, 'great elka.bin');
  await page.keyboard.press('Delete');
  await eventually(() => names(page), [], 'deleted from the results');
  await page.waitForSelector('text=Nothing found');
  await noBarriers(page, 'nothing');
  await page.keyboard.press('/');
  await page.keyboard.press('Escape');
  await page.waitForSelector('[data-example=kind]');
  await noBarriers(page, 'help');
  await page.screenshot({ path: `${out}search-help.png` });
  await page.keyboard.type('is:trashed great ');
  await page.waitForSelector('[data-trashed="great elka.bin"]');
  await page.click('[data-trashed="great elka.bin"] >> text=Restore');
  await eventually(
    () => onServer(files, deep),
    ['great elka.bin', 'Ёлка зимой.png'].sort(),
    'restored from the search',
  );

  // The palette finds with the same words, and leads here.
  await page.keyboard.press('Control+k');
  await page.waitForSelector('[role=dialog] [role=combobox]');
  await page.keyboard.type('елка зим');
  await page.waitForSelector('[role=option]:has-text("Ёлка зимой.png")');
  await page.click('[data-search-all]');
  await eventually(() => query(page), 'елка зим');
  await eventually(() => names(page), ['Ёлка зимой.png']);
}

export async function keepsSearchesAndWorksOffline({ open, files, base, network, out }) {
  const page = await open();
  const folder = await ownFolder(page, files, base, 'Kept searches');
  await files.file('offline plan.txt', 'x', 'text/plain', folder);
  await row(page, 'offline plan.txt').waitFor();
  await settled(page);
  await page.goto(`${base}/search?q=${encodeURIComponent('plan kind:text in:"Kept searches"')}`);
  await eventually(() => names(page), ['offline plan.txt']);
  await page.click('[data-save-search]');
  await page.fill('input[name=search-name]', 'My plans');
  await noBarriers(page, 'save');
  await page.keyboard.press('Enter');
  const place = page.locator('[data-saved-searches] a');
  await eventually(() => place.allInnerTexts(), ['My plans']);
  await page.waitForFunction(() => navigator.serviceWorker.controller !== null);
  await page.waitForTimeout(500);
  network.cut = true;
  await page.goto(`${base}/files/${folder}`);
  await row(page, 'offline plan.txt').waitFor();
  await page.keyboard.press('Alt+n');
  await page.locator('[role=grid] input').fill('plan made offline');
  await page.keyboard.press('Enter');
  await row(page, 'plan made offline').waitFor();
  await place.click();
  await eventually(() => names(page), ['offline plan.txt'], 'a kept search works without a connection');
  await page.focus('input[name=q]');
  await page.click('[aria-label="Remove the filter “Text”"]');
  await eventually(
    async () => (await names(page)).sort(),
    ['offline plan.txt', 'plan made offline'],
    'and finds what was made without one',
  );
  await click(page, 'offline plan.txt');
  await page.keyboard.press('F2');
  await page.locator('[role=grid] input').fill('plan, renamed offline.txt');
  await page.keyboard.press('Enter');
  await eventually(async () => (await names(page)).sort(), ['plan made offline', 'plan, renamed offline.txt']);
  await page.screenshot({ path: `${out}search-offline.png` });
  network.cut = false;
  await eventually(
    () => onServer(files, folder),
    ['plan made offline', 'plan, renamed offline.txt'],
    'what was done to it is sent',
    20_000,
  );

  await page.hover('[data-saved-searches] a');
  await page.click('[data-saved-searches] button');
  await page.click('[data-action=search-rename]');
  await page.fill('input[name=search-name]', 'Plans of mine');
  await page.keyboard.press('Enter');
  await eventually(() => place.allInnerTexts(), ['Plans of mine']);
  await page.hover('[data-saved-searches] a');
  await page.click('[data-saved-searches] button');
  await page.click('[data-action=search-remove]');
  await eventually(() => place.count(), 0);
  await page.locator('button:visible', { hasText: 'Undo' }).last().click();
  await eventually(() => place.allInnerTexts(), ['Plans of mine'], 'it can be had back');
}

/** However many entries there are, typing is not held up. HOLDFAST_E2E_ROWS makes it more of them. */
export async function searchesManyEntriesWithoutAPause({ open, files }) {
  const page = await open();
  await page.waitForSelector('#files [data-name]');
  const total = Number(process.env.HOLDFAST_E2E_ROWS ?? 30_000);
  await putMany(page, total, { parent: `${files.root.slice(0, -4)}0000`, space: files.space });
  await page.reload();
  await page.waitForSelector('#files [data-name]');
  await page.evaluate(() => {
    window.longest = 0;
    new PerformanceObserver((list) =>
      list.getEntries().forEach((one) => (window.longest = Math.max(window.longest, one.duration))),
    ).observe({ type: 'longtask' });
  });
  await page.keyboard.press('/');
  await page.waitForSelector('input[name=q]');
  const began = Date.now();
  await page.keyboard.type('report 1');
  await page.waitForSelector('#files [data-name^="report 1"]', { timeout: 30_000 });
  const firstMs = Date.now() - began;
  const first = await page.evaluate(() => window.longest);
  await page.evaluate(() => (window.longest = 0));
  const times = [];
  for (const [text, sign] of [
    ['отчет 77', 'Отчёт 77'],
    ['budget kind:pdf size:>100KB ', 'budget'],
    ['777', ''],
  ]) {
    await page.keyboard.press('Control+a');
    const start = Date.now();
    await page.keyboard.type(text);
    await page.waitForSelector(`#files [data-name*="${sign || '777'}"]`);
    times.push(Date.now() - start);
  }
  const longest = await page.evaluate(() => window.longest);
  console.log(
    `      ${total} entries: first found after ${firstMs} ms, then ${times.join(', ')} ms with the typing; longest task ${Math.round(first)}, then ${Math.round(longest)} ms`,
  );
  assert.ok((await page.$$eval('[role=row]', (list) => list.length)) < 120);
  // Looking through them on the page's own thread would hold it up for longer than this even on a busy machine.
  assert.ok(longest < 500, `the page was held up for ${longest} ms`);
}
