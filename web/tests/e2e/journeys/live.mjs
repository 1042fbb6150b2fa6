// What one browser does is seen in the other at once, also after the server died and after the network was gone.
import assert from 'node:assert/strict';
import { eventually, names, onServer, openFolder, ownFolder, person, row, settled, signIn, sync } from '../steps.mjs';

/** Seen sooner than any poll would bring it. */
const soonMs = 5_000;

async function makeFolder(page, name) {
  await page.keyboard.press('Alt+n');
  await page.waitForSelector('[role=grid] input');
  await page.keyboard.type(name);
  await page.keyboard.press('Enter');
}

export async function showsWhatOthersDoAtOnce({ open, files, base, network, startServer, killServer }) {
  const first = await open();
  const folder = await ownFolder(first, files, base, 'Live');
  const second = await open({ signedIn: false });
  const pushes = [];
  const sockets = [];
  second.on('websocket', (socket) => {
    sockets.push(socket.url());
    socket.on('framereceived', ({ payload }) => pushes.push(JSON.parse(String(payload))));
  });
  await second.reload();
  await second.fill('input[name=username]', 'admin');
  await second.fill('input[name=password]', 'correct-horse-9');
  await second.keyboard.press('Enter');
  await second.waitForSelector('#files');
  await second.goto(`${base}/files/${folder}`);
  /** Resolves once the socket of the second browser follows; each connection is told apart by what it heard. */
  const following = (since) =>
    eventually(async () => pushes.slice(since).some((one) => one.ok?.space), true, 'the socket follows', 45_000);
  await following(0);
  await settled(first);
  const seen = async (name) => {
    await makeFolder(first, name);
    await row(first, name).waitFor();
    await eventually(async () => (await onServer(files, folder)).includes(name), true, `${name} on the server`, 30_000);
    const start = performance.now();
    await row(second, name).waitFor({ timeout: 10_000 });
    const ms = Math.round(performance.now() - start);
    console.log(`      “${name}” seen by the other ${ms} ms after the server had it`);
    assert.ok(ms < soonMs, `${ms} ms`);
  };
  await seen('First');
  // A pull may be faster, but tells nobody else.
  await eventually(async () => pushes.some((one) => one.push === 'changes'), true, 'it was pushed');

  let heard = pushes.length;
  await killServer();
  await eventually(() => sync(second), 'Offline', 'a server that died is told', 5_000);
  await startServer();
  await following(heard);
  await settled(first);
  await seen('After the server died');

  heard = pushes.length;
  network.cut = true;
  await eventually(() => sync(second), 'Offline', 'a cut network is told', 5_000);
  await makeFolder(first, 'Made while cut');
  network.cut = false;
  await following(heard);
  await row(second, 'Made while cut').waitFor({ timeout: 20_000 });
  await settled(first);
  await seen('After the cut');
  assert.ok(
    sockets.length >= 3 && sockets.every((url) => url === `${base.replace('http', 'ws')}/api/v1/live`),
    sockets.join(' '),
  );
}

/** However many tabs there are, one of them holds the socket; when it is closed another takes over. */
export async function holdsOneSocketForAllTabs({ open, files, base }) {
  const first = await open();
  const context = first.context();
  const live = new Map();
  const forget = (page) => [...live].filter(([, owner]) => owner === page).forEach(([socket]) => live.delete(socket));
  const count = (page) => {
    page.on('websocket', (socket) => (live.set(socket, page), socket.on('close', () => live.delete(socket))));
    // The sockets of a page that was left are gone without a word.
    page.on('request', (request) => request.isNavigationRequest() && forget(page));
    page.on('close', () => forget(page));
  };
  count(first);
  await first.reload();
  const folder = await ownFolder(first, files, base, 'Tabs');
  const second = await context.newPage();
  count(second);
  await second.goto(`${base}/files/${folder}`);
  await eventually(async () => live.size, 1, 'one socket');
  await second.waitForTimeout(500);
  assert.deepEqual([...live.values()], [first]);
  await files.folder('Told to both', folder);
  for (const page of [first, second]) await row(page, 'Told to both').waitFor({ timeout: 2_000 });
  await first.close();
  await eventually(async () => [...live.values()].includes(second), true, 'the other tab takes over');
  await files.folder('Told to the rest', folder);
  await row(second, 'Told to the rest').waitFor({ timeout: 2_000 });
}

export async function showsTheOpenFolderWholeAtFirst({ open, apiBase }) {
  const ida = await person(apiBase, 'ida', 'Ida Rhodes');
  const [space] = (await (await ida.call('GET', '/spaces')).json()).items;
  const folder = async (name, parent_id) => (await (await ida.call('POST', '/folders', { name, parent_id })).json()).id;
  const old = await folder('Old papers', space.root_id);
  // More than a page of the first pull, which comes in the order in which things were made.
  for (let from = 0; from < 1_100; from += 20)
    await Promise.all(Array.from({ length: 20 }, (_, at) => folder(`Paper ${from + at}`, old)));
  await folder('Within', await folder('Newest', space.root_id));
  const page = await open({ signedIn: false });
  let release;
  const held = new Promise((resolve) => (release = resolve));
  await page.route(/\/spaces\/[^/]+\/entries\?.*cursor=/, (route) => held.then(() => route.continue()));
  await signIn(page, ida.name, 'long-enough-1');
  await row(page, 'Newest').waitFor();
  await eventually(() => names(page), ['Newest', 'Old papers']);
  await eventually(() => page.locator('[data-status]').innerText(), '2 items');
  await openFolder(page, 'Newest');
  await eventually(() => names(page), ['Within']);
  assert.notEqual(await sync(page), 'Up to date');
  release();
  await settled(page);
  assert.deepEqual(await names(page), ['Within']);
  await page.goBack();
  await openFolder(page, 'Old papers');
  await eventually(() => page.locator('[data-status]').innerText(), '1,100 items');
}
