// Without a connection, with somebody else at work, and with a server that goes away.
import assert from 'node:assert/strict';
import { click, eventually, names, onServer, openFolder, ownFolder, row, settled, sync } from '../steps.mjs';

export async function worksWithoutAConnectionAndConverges({ open, files, base, network }) {
  const page = await open();
  const folder = await ownFolder(page, files, base, 'Offline');
  const plan = await files.file('plan.txt', 'x', 'text/plain', folder);
  await files.file('old.txt', 'x', 'text/plain', folder);
  await row(page, 'plan.txt').waitFor();
  await row(page, 'old.txt').waitFor();
  await page.waitForFunction(() => navigator.serviceWorker.controller !== null);

  network.cut = true;
  await page.reload();
  await row(page, 'plan.txt').waitFor();
  await page.keyboard.press('Alt+n');
  await page.waitForSelector('[role=grid] input');
  await page.keyboard.type('Made offline');
  await page.keyboard.press('Enter');
  await click(page, 'plan.txt');
  await page.keyboard.press('F2');
  await page.locator('[role=grid] input').fill('mine.txt');
  await page.keyboard.press('Enter');
  await click(page, 'mine.txt');
  await page.keyboard.press('Control+x');
  await openFolder(page, 'Made offline');
  await page.keyboard.press('Control+v');
  await row(page, 'mine.txt').waitFor();
  // What was done survives a start without connection.
  await page.reload();
  await row(page, 'mine.txt').waitFor();
  await eventually(() => sync(page), 'Offline, 4 changes waiting');
  assert.deepEqual(await onServer(files, folder), ['old.txt', 'plan.txt']);

  // Meanwhile somebody renames the same file.
  assert.equal((await files.call('PATCH', `/entries/${plan}`, { name: 'theirs.txt' })).status, 200);
  network.cut = false;
  await eventually(() => onServer(files, folder), ['Made offline', 'old.txt'], 'the changes arrive', 30_000);
  await settled(page);
  const made = (await (await files.call('GET', `/folders/${folder}/children?limit=100`)).json()).items.find((item) => item.name === 'Made offline');
  assert.deepEqual(await onServer(files, made.id), ['mine.txt']);
  await page.waitForSelector('text=“theirs.txt” was renamed elsewhere');
  await page.waitForURL(`**/files/${made.id}`);
}

export async function showsWhatOthersDoAndSurvivesARestart({ open, files, base, startServer, stopServer }) {
  const first = await open();
  const folder = await ownFolder(first, files, base, 'Shared view');
  const second = await open();
  await second.goto(`${base}/files/${folder}`);
  await first.keyboard.press('Alt+n');
  await first.waitForSelector('[role=grid] input');
  await first.keyboard.type('From the first');
  await first.keyboard.press('Enter');
  await row(second, 'From the first').waitFor();
  await stopServer();
  await eventually(() => sync(first), 'Offline', 'a stopped server is told', 20_000);
  await first.keyboard.press('Alt+n');
  await first.waitForSelector('[role=grid] input');
  await first.keyboard.type('While it was down');
  await first.keyboard.press('Enter');
  await startServer();
  await row(second, 'While it was down').waitFor({ timeout: 60_000 });
  await settled(first);
}

/** After coming back everything is there to be looked at, with both sides, also after a reload. */
export async function reviewsWhatHappenedMeanwhile({ open, files, base, network }) {
  const page = await open();
  const folder = await ownFolder(page, files, base, 'Review');
  const plan = await files.file('plan.txt', 'x', 'text/plain', folder);
  const notes = await files.file('notes.txt', 'x', 'text/plain', folder);
  await files.file('quiet.txt', 'x', 'text/plain', folder);
  await row(page, 'quiet.txt').waitFor();
  await page.waitForFunction(() => navigator.serviceWorker.controller !== null);
  await settled(page);
  network.cut = true;
  const rename = async (from, to) => {
    await click(page, from);
    await page.keyboard.press('F2');
    await page.locator('[role=grid] input').fill(to);
    await page.keyboard.press('Enter');
    await row(page, to).waitFor();
  };
  await rename('plan.txt', 'my plan.txt');
  await rename('quiet.txt', 'mine alone.txt');
  await click(page, 'notes.txt');
  await page.keyboard.press('Delete');
  assert.equal((await files.call('PATCH', `/entries/${plan}`, { name: 'their plan.txt' })).status, 200);
  assert.equal((await files.call('PUT', `/files/${notes}`, 'new words', { 'content-type': 'text/plain' })).status, 200);
  await files.folder('Theirs', folder);
  network.cut = false;
  await page.click('[data-review]', { timeout: 30_000 });
  const sheet = page.locator('[role=dialog]');
  for (const text of ['Rename “plan.txt” to “my plan.txt”', 'Renamed it to “their plan.txt”', 'It was kept, because somebody worked on it.', 'Rename “quiet.txt” to “mine alone.txt”', 'New: “Theirs”'])
    await sheet.locator(`text=${text}`).waitFor();
  // It waits until it was read.
  await page.reload();
  await page.click('[data-review]');
  await page.click('text=Call it “their plan.txt”');
  await eventually(async () => (await onServer(files, folder)).includes('their plan.txt'), true);
  await page.click('[data-review-done]');
  await page.waitForSelector('[data-review]', { state: 'detached' });
  assert.deepEqual(await onServer(files, folder), ['Theirs', 'mine alone.txt', 'notes.txt', 'their plan.txt']);
}

/** Random work in two browsers, with the network coming and going, ends in one and the same tree. */
export async function twoBrowsersConvergeAfterRandomWork({ open, files, base, network }) {
  const seedNumber = Number(process.env.HOLDFAST_E2E_SEED ?? Date.now() % 100_000);
  console.log(`      seed ${seedNumber}`);
  let state = seedNumber;
  const random = (below) => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    return Math.floor((state / 2_147_483_648) * below);
  };
  const first = await open();
  const folder = await ownFolder(first, files, base, `Random ${seedNumber}`);
  const second = await open();
  await second.goto(`${base}/files/${folder}`);
  for (let at = 0; at < 6; at += 1) await files.file(`file ${at}.txt`, String(at), 'text/plain', folder);
  for (const page of [first, second]) await row(page, 'file 5.txt').waitFor();
  const steps = Number(process.env.HOLDFAST_E2E_STEPS ?? 30);
  for (let step = 0; step < steps; step += 1) {
    if (random(5) === 0) network.cut = !network.cut;
    const page = random(2) === 0 ? first : second;
    const known = await names(page);
    const name = known[random(known.length)];
    const what = random(6);
    if (what === 0 || !name) {
      await page.keyboard.press('Alt+n');
      await page.waitForSelector('[role=grid] input');
      await page.keyboard.type(`folder ${random(4)}-${step}`);
      await page.keyboard.press('Enter');
    } else if (what === 1) {
      // A change of the other browser may take the row away under the hand, as it may for a person.
      await click(page, name, { timeout: 1_000 }).catch(() => undefined);
      await page.keyboard.press('F2');
      const input = page.locator('[role=grid] input');
      if ((await input.count()) > 0) {
        await input.fill(`name ${random(3)} at ${step}.txt`, { timeout: 1_000 }).catch(() => undefined);
        await page.keyboard.press('Enter');
      }
    } else if (what === 2) {
      await click(page, name, { timeout: 1_000 }).catch(() => undefined);
      await page.keyboard.press('Control+d');
    } else if (what === 3) {
      await page.focus('#files', { timeout: 1_000 }).catch(() => undefined);
      await page.keyboard.press(random(3) === 0 ? 'Control+Shift+z' : 'Control+z');
    } else if (known.length > 3) {
      await click(page, name, { timeout: 1_000 }).catch(() => undefined);
      await page.keyboard.press('Delete');
    }
    await page.keyboard.press('Escape');
  }
  network.cut = false;
  // What rests on something that the other one removed is refused and kept aside, never dropped.
  for (const page of [first, second]) await eventually(async () => /^(?:Up to date|\d+ changes? could not be saved)$/.test(await sync(page)), true, 'the sync state', 30_000);
  for (const page of [first, second]) {
    const difference = async () => {
      const [truth, shown] = [await onServer(files, folder), (await names(page)).sort()];
      return { missing: truth.filter((name) => !shown.includes(name)), extra: shown.filter((name) => !truth.includes(name)) };
    };
    await eventually(difference, { missing: [], extra: [] }, `seed ${seedNumber}: a browser and the server differ`, 20_000);
  }
}
