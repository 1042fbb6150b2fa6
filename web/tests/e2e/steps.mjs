// What journeys do again and again.
import assert from 'node:assert/strict';

export async function signIn(page, name = 'admin', password = 'correct-horse-9') {
  await page.fill('input[name=username]', name);
  await page.fill('input[name=password]', password);
  await page.keyboard.press('Enter');
  await page.waitForSelector('#files');
}

export const row = (page, name) => page.locator(`[role=grid] [data-name="${name}"]`);
export const click = (page, name, options) => row(page, name).locator('[data-handle]').first().click(options);
export const names = (page) => page.$$eval('[role=grid] [data-name]', (rows) => rows.map((one) => one.dataset.name));
export const selected = (page) =>
  page.$$eval('[role=grid] [aria-selected=true]', (rows) => rows.map((one) => one.dataset.name));

/** Waits until a question about the page has the wanted answer. */
export async function eventually(ask, wanted, what, timeoutMs = 20_000) {
  const end = Date.now() + timeoutMs;
  let last;
  while (Date.now() < end) {
    last = await ask();
    try {
      assert.deepEqual(last, wanted);
      return;
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 60));
    }
  }
  assert.deepEqual(last, wanted, what);
}

export const sync = (page) => page.locator('[data-sync]').innerText();
/** A browser that learns a large space for the first time takes a while. */
export const settled = (page, text = 'Up to date') => eventually(() => sync(page), text, 'the sync state', 60_000);

export async function openFolder(page, name) {
  await row(page, name).dblclick({ position: { x: 60, y: 12 } });
  await page.waitForFunction((wanted) => document.querySelector('nav h1')?.textContent?.trim() === wanted, name);
}

/** A folder of its own for a journey, opened. */
export async function ownFolder(page, files, base, name) {
  const id = await files.folder(name);
  await page.goto(`${base}/files/${id}`);
  await page.waitForFunction((wanted) => document.querySelector('nav h1')?.textContent?.trim() === wanted, name);
  return id;
}

/** What the server says is in a folder. */
export async function onServer(files, folder) {
  const page = await (await files.call('GET', `/folders/${folder}/children?limit=1000`)).json();
  return page.items.map((item) => item.name).sort();
}

/** Drops files as from the desktop. */
export async function dropFiles(page, selector, list) {
  const transfer = await page.evaluateHandle((wanted) => {
    const data = new DataTransfer();
    for (const { name, size, text, type } of wanted)
      data.items.add(
        new File([text ?? new Uint8Array(size).fill(65)], name, { type: type ?? 'application/octet-stream' }),
      );
    return data;
  }, list);
  for (const type of ['dragenter', 'dragover', 'dragover', 'drop']) {
    await page.dispatchEvent(selector, type, { dataTransfer: transfer });
    await page.waitForTimeout(60);
  }
}

/**
 * Drops folders as from the desktop. A test cannot make the entries that a browser gives for them, so these are played: a
 * folder has `children`, and answers in pages as a browser does.
 */
export async function dropTrees(page, selector, trees) {
  await page.evaluate((wanted) => {
    const entryOf = ({ name, text, children }) =>
      children
        ? {
            name,
            isFile: false,
            isDirectory: true,
            createReader() {
              const rest = children.map(entryOf);
              return { readEntries: (resolve) => resolve(rest.splice(0, 100)) };
            },
          }
        : { name, isFile: true, isDirectory: false, file: (resolve) => resolve(new File([text], name)) };
    const entries = new Map(wanted.map((tree) => [tree.name, entryOf(tree)]));
    const own = DataTransferItem.prototype;
    own.webkitGetAsEntry = function () {
      return entries.get(this.getAsFile()?.name) ?? null;
    };
    own.getAsFileSystemHandle = undefined;
  }, trees);
  await dropFiles(
    page,
    selector,
    trees.map(({ name }) => ({ name, text: '' })),
  );
}

/** Somebody with an account, and what they can call. */
export async function person(apiBase, name, displayName) {
  const password = 'long-enough-1';
  const json = { 'content-type': 'application/json' };
  const made = await fetch(`${apiBase}/api/v1/register`, {
    method: 'POST',
    headers: json,
    body: JSON.stringify({ name, password, display_name: displayName }),
  });
  assert.ok([201, 409].includes(made.status));
  const tokens = await (
    await fetch(`${apiBase}/api/v1/login`, {
      method: 'POST',
      headers: json,
      body: JSON.stringify({ name, password, client: 'test' }),
    })
  ).json();
  const call = (method, path, body) =>
    fetch(`${apiBase}/api/v1${path}`, {
      method,
      headers: { ...json, authorization: `Bearer ${tokens.access_token}` },
      body: body && JSON.stringify(body),
    });
  return { name, displayName, id: tokens.user.id, call };
}

/** Runs inside the page: whether a table of what is only here holds anything, in this state if one is named. */
export async function isWritten({ table, state }) {
  const { name } = (await indexedDB.databases()).find((one) => one.name.startsWith('holdfast-usr_'));
  const db = await new Promise((resolve) => (indexedDB.open(name).onsuccess = (event) => resolve(event.target.result)));
  const all = db.transaction(table).objectStore(table).getAll();
  await new Promise((resolve) => (all.onsuccess = resolve));
  db.close();
  return all.result.some((row) => !state || row.state === state);
}

/** Writes many files into what this browser knows, as if the server had told of them. */
export async function putMany(page, count, { parent, space }) {
  // A pull that has only begun would take away what it did not bring.
  await settled(page);
  await page.evaluate(
    async ({ count, parent, space }) => {
      const name = (await indexedDB.databases()).find((one) => one.name.startsWith('holdfast-usr_')).name;
      const db = await new Promise(
        (resolve) => (indexedDB.open(name).onsuccess = (event) => resolve(event.target.result)),
      );
      const words = ['report', 'Отчёт', 'photo', 'invoice', 'Протокол', 'draft', 'scan', 'notes', 'budget', 'Съёмка'];
      for (let from = 0; from < count; from += 5_000) {
        const change = db.transaction('entries', 'readwrite');
        const store = change.objectStore('entries');
        for (let at = from; at < Math.min(count, from + 5_000); at += 1) {
          const time = new Date(1_700_000_000_000 + at * 600_000).toISOString();
          store.put({
            id: `ent_many${String(at).padStart(8, '0')}`,
            space_id: space,
            parent_id: parent,
            name: `${words[at % 10]} ${at} ${words[(at * 7 + 3) % 10]}.pdf`,
            kind: 'file',
            revision: 1,
            created_at: time,
            modified_at: time,
            size: at * 100,
            content_type: 'application/pdf',
          });
        }
        await new Promise((resolve) => (change.oncomplete = resolve));
      }
      db.close();
    },
    { count, parent, space },
  );
}
