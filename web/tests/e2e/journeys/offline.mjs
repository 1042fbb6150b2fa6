// Without a connection, with somebody else at work, and with a server that goes away.
import assert from 'node:assert/strict';
import {
  click,
  dropFiles,
  isWritten,
  eventually,
  names,
  onServer,
  openFolder,
  ownFolder,
  row,
  settled,
  sync,
} from '../steps.mjs';

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
  const made = (await (await files.call('GET', `/folders/${folder}/children?limit=100`)).json()).items.find(
    (item) => item.name === 'Made offline',
  );
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

/** A connection that dies without a word: what is asked for is begun to be answered, and no more comes. */
export async function goesOnAfterAnAnswerThatFellSilent({ open, files, base, network }) {
  const page = await open();
  const folder = await ownFolder(page, files, base, 'Silent');
  await settled(page);
  network.silent = true;
  const asked = page.waitForResponse((response) => response.url().endsWith('/api/v1/spaces?limit=1000'));
  await page.reload();
  await asked;
  await eventually(() => sync(page), 'Connecting…', 'it waits for the answer');
  network.silent = false;
  await files.folder('Came later', folder);
  await row(page, 'Came later').waitFor({ timeout: 60_000 });
  await settled(page);
}

/** Folders in folders that the server has not heard of, with things in them, under addresses that stay. */
export async function makesFoldersInFoldersWithoutAConnection({ open, files, base, network }) {
  const page = await open();
  const folder = await ownFolder(page, files, base, 'Made away');
  await files.file('plan.txt', 'x', 'text/plain', folder);
  await row(page, 'plan.txt').waitFor();
  await page.waitForFunction(() => navigator.serviceWorker.controller !== null);
  await settled(page);
  const make = async (name) => {
    await page.keyboard.press('Alt+n');
    await page.waitForSelector('[role=grid] input');
    await page.keyboard.type(name);
    await page.keyboard.press('Enter');
    await row(page, name).waitFor();
  };
  network.cut = true;
  await make('Outer');
  await click(page, 'plan.txt');
  await page.keyboard.press('Control+x');
  await openFolder(page, 'Outer');
  const outer = page.url().split('/').at(-1);
  assert.match(outer, /^ent_[0-9a-f]{32}$/);
  await make('Inner');
  await openFolder(page, 'Inner');
  const inner = page.url().split('/').at(-1);
  await page.keyboard.press('Control+v');
  await row(page, 'plan.txt').waitFor();
  await click(page, 'plan.txt');
  await page.keyboard.press('F2');
  await page.locator('[role=grid] input').fill('moved.txt');
  await page.keyboard.press('Enter');
  await row(page, 'moved.txt').waitFor();
  // A file put into it waits for the folder.
  await dropFiles(page, '#files', [{ name: 'dropped.txt', text: 'from the desktop' }]);
  await page.waitForFunction(isWritten, { table: 'uploads' });
  await page.reload();
  await row(page, 'moved.txt').waitFor();
  assert.deepEqual(await onServer(files, folder), ['plan.txt']);
  network.cut = false;
  await eventually(
    () => onServer(files, inner).catch(() => null),
    ['dropped.txt', 'moved.txt'],
    'all of it has arrived',
    30_000,
  );
  assert.deepEqual(await onServer(files, folder), ['Outer']);
  assert.deepEqual(await onServer(files, outer), ['Inner']);
  await settled(page);
  await row(page, 'dropped.txt').waitFor();
  assert.deepEqual((await names(page)).sort(), ['dropped.txt', 'moved.txt']);
  assert.equal(page.url().split('/').at(-1), inner);
}

/** Whose answers are lost does everything once, and knows what came of it. */
export async function doesNothingTwiceWhenAnswersAreLost({ open, files, base, network }) {
  const page = await open();
  const folder = await ownFolder(page, files, base, 'Lost answers');
  await files.file('plan.txt', 'x', 'text/plain', folder);
  await files.file('gone.txt', 'x', 'text/plain', folder);
  for (const name of ['plan.txt', 'gone.txt']) await row(page, name).waitFor();
  await settled(page);
  network.deaf = true;
  await dropFiles(page, '#files', [
    { name: 'small.txt', text: 'small' },
    { name: 'large.bin', size: 9_000_000 },
  ]);
  await eventually(async () => (await onServer(files, folder)).includes('small.txt'), true, 'the server has the file');
  await click(page, 'plan.txt');
  await page.keyboard.press('Control+d');
  await row(page, 'plan copy.txt').waitFor();
  await page.keyboard.press('Alt+n');
  await page.waitForSelector('[role=grid] input');
  await page.keyboard.type('New one');
  await page.keyboard.press('Enter');
  await click(page, 'gone.txt');
  await page.keyboard.press('Delete');
  // The first of the changes is done, and waits here all the same.
  await eventually(
    async () => (await onServer(files, folder)).includes('plan copy.txt'),
    true,
    'the server has done it',
  );
  network.deaf = false;
  const wanted = ['New one', 'large.bin', 'plan copy.txt', 'plan.txt', 'small.txt'];
  await eventually(() => onServer(files, folder), wanted, 'each is there once', 40_000);
  await settled(page);
  await eventually(async () => (await names(page)).sort(), wanted, 'and so it is shown');
  // Nothing was numbered, nothing has a second version.
  const items = (await (await files.call('GET', `/folders/${folder}/children?limit=100`)).json()).items;
  for (const { id } of items.filter((item) => item.kind === 'file'))
    assert.equal((await (await files.call('GET', `/files/${id}/versions`)).json()).items.length, 1);
  assert.equal(await page.locator('[data-review]').count(), 0);
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
  for (const text of [
    'Renamed “plan.txt” to “my plan.txt”',
    'Renamed it to “their plan.txt”',
    'It was kept, because somebody worked on it.',
    'Renamed “quiet.txt” to “mine alone.txt”',
    'New: “Theirs”',
  ])
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

/** What stands of an entry beside its path. */
const said = ({ description }) => (description ? ` · ${description}` : '');
/** All paths below a folder with what is said of them, as the server has them. */
async function treeOnServer(files, folder, path = '') {
  const { items } = await (await files.call('GET', `/folders/${folder}/children?limit=1000`)).json();
  const below = [];
  for (const item of items) {
    below.push(`${path}${item.name}${said(item)}`);
    if (item.kind === 'folder') below.push(...(await treeOnServer(files, item.id, `${path}${item.name}/`)));
  }
  return below.sort();
}
/** The same as this browser has written it down. */
const treeHere = (page, folder) =>
  page.evaluate(async (top) => {
    const ask = (request) =>
      new Promise(
        (resolve, reject) => ((request.onsuccess = () => resolve(request.result)), (request.onerror = reject)),
      );
    const { name } = (await indexedDB.databases()).find((one) => one.name.startsWith('holdfast-usr_'));
    const db = await ask(indexedDB.open(name));
    const entries = await ask(db.transaction('entries').objectStore('entries').getAll());
    db.close();
    const found = [];
    const walk = (parent, path) => {
      for (const entry of entries.filter((one) => one.parent_id === parent)) {
        found.push(`${path}${entry.name}${entry.description ? ` · ${entry.description}` : ''}`);
        walk(entry.id, `${path}${entry.name}/`);
      }
    };
    walk(top, '');
    return found.sort();
  }, folder);

/** Random work in two browsers, with the network coming and going and answers being lost, ends in one and the same tree. */
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
  for (const page of [first, second]) {
    await row(page, 'file 5.txt').waitFor();
    await page.waitForFunction(() => navigator.serviceWorker.controller !== null);
  }
  // A change of the other browser may take a row away under the hand, as it may for a person.
  const soon = { timeout: 1_000 };
  const missed = () => undefined;
  const steps = {
    async make(page, _, step) {
      await page.keyboard.press('Alt+n');
      await page.waitForSelector('[role=grid] input', soon).catch(missed);
      await page.keyboard.type(`folder ${random(4)}-${step}`);
      await page.keyboard.press('Enter');
    },
    async rename(page, name, step) {
      await click(page, name, soon).catch(missed);
      await page.keyboard.press('F2');
      const input = page.locator('[role=grid] input');
      if ((await input.count()) === 0) return;
      await input.fill(`name ${random(3)} at ${step}.txt`, soon).catch(missed);
      await page.keyboard.press('Enter');
    },
    async duplicate(page, name) {
      await click(page, name, soon).catch(missed);
      await page.keyboard.press('Control+d');
    },
    async star(page, name) {
      await click(page, name, soon).catch(missed);
      await page.keyboard.press('Alt+b');
    },
    /** Both may say something of the same: that is a question for a person, and neither is written over. */
    async describe(page, name, step) {
      await click(page, name, soon).catch(missed);
      await page.fill('aside [data-details] textarea', `said at ${step}`, soon).catch(missed);
      await page.focus('#files', soon).catch(missed);
    },
    async undo(page) {
      await page.focus('#files', soon).catch(missed);
      await page.keyboard.press(random(3) === 0 ? 'Control+Shift+z' : 'Control+z');
    },
    async remove(page, name) {
      if ((await names(page)).length < 4) return;
      await click(page, name, soon).catch(missed);
      await page.keyboard.press('Delete');
    },
    /** Into a folder that is there, which may be one that the server has not heard of. */
    async move(page, name) {
      const into = (await names(page)).find((one) => one.startsWith('folder') && one !== name);
      if (!into) return;
      await click(page, name, soon).catch(missed);
      await page.keyboard.press('Control+x');
      await row(page, into)
        .dblclick({ position: { x: 60, y: 12 }, ...soon })
        .catch(missed);
      await page
        .waitForFunction((wanted) => document.querySelector('nav h1')?.textContent?.trim() === wanted, into, soon)
        .catch(missed);
      await page.keyboard.press('Control+v');
    },
  };
  const kinds = Object.values(steps);
  const count = Number(process.env.HOLDFAST_E2E_STEPS ?? 40);
  for (let step = 0; step < count; step += 1) {
    const weather = random(8);
    if (weather === 0) network.cut = !network.cut;
    network.deaf = weather === 1;
    const page = random(2) === 0 ? first : second;
    const known = await names(page);
    const name = known[random(known.length)];
    const act = name ? kinds[random(kinds.length)] : steps.make;
    await act(page, name, step);
    await page.keyboard.press('Escape');
    if (!page.url().endsWith(folder) && random(3) > 0) {
      await page.keyboard.press('Alt+ArrowUp');
      await page.waitForTimeout(60);
    }
  }
  network.cut = false;
  network.deaf = false;
  // What rests on something that the other one removed is refused and kept aside, never dropped.
  for (const page of [first, second])
    await eventually(
      async () => /^(?:Up to date|\d+ changes? could not be saved|\d+ conflicts?)$/.test(await sync(page)),
      true,
      'the sync state',
      40_000,
    );
  for (const page of [first, second]) {
    const difference = async () => {
      const [truth, known] = [await treeOnServer(files, folder), await treeHere(page, folder)];
      return {
        missing: truth.filter((path) => !known.includes(path)),
        extra: known.filter((path) => !truth.includes(path)),
      };
    };
    await eventually(
      difference,
      { missing: [], extra: [] },
      `seed ${seedNumber}: a browser and the server differ`,
      20_000,
    );
    // And what is shown is what is known, but for what could not be saved.
    await page.goto(`${base}/files/${folder}`);
    const shown = async () => (await names(page)).sort();
    const top = async () =>
      (await treeOnServer(files, folder))
        .map((path) => path.split(' · ')[0])
        .filter((path) => !path.includes('/'))
        .sort();
    await eventually(
      async () => (await shown()).join() === (await top()).join(),
      true,
      `seed ${seedNumber}: ${await shown()} is not ${await top()}`,
    );
  }
}
