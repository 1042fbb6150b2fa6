// Tags, favourites, descriptions, sizes of folders, and names that clash; tags changed here show elsewhere.
import AxeBuilder from '@axe-core/playwright';
import assert from 'node:assert/strict';
import { click, eventually, names, onServer, ownFolder, row, settled } from '../steps.mjs';

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

export async function tagsStarsAndDescribes({ open, files, base, out }) {
  const page = await open();
  const folder = await ownFolder(page, files, base, 'Marked');
  await files.file('plan.txt', 'plan', 'text/plain', folder);
  const sub = await files.folder('Inside', folder);
  await files.file('ten.bin', Buffer.alloc(10_000), 'application/octet-stream', sub);
  await row(page, 'plan.txt').waitFor();
  await click(page, 'plan.txt');
  await page.keyboard.press('Alt+b');
  await row(page, 'plan.txt').locator('[data-star]').waitFor();
  await page.click('aside [data-details] >> text=Tags…');
  await page.fill('input[name=tag-name]', 'Urgent');
  await page.click('[aria-label=Red]');
  await noBarriers(page, 'tags');
  await page.click('[role=dialog] >> text="Make"');
  await page.waitForSelector('[role=checkbox][data-tag=Urgent][aria-checked=true]');
  await page.screenshot({ path: `${out}marks-dialog.png` });
  await page.keyboard.press('Escape');
  await row(page, 'plan.txt').locator('[data-tags]').waitFor();
  await page.fill('aside textarea', 'The plan that was agreed on.');
  await page.click('aside >> text="Save"');
  await page.click('[aria-label="Add a property"]');
  await page.fill('[aria-label=Property]', 'Amount');
  await page.selectOption('[data-property-kind] select', 'number');
  await page.fill('[aria-label=Value]', '12O');
  assert.equal(await page.locator('[data-property-form] button[type=submit]').isDisabled(), true, 'no number');
  await page.fill('[aria-label=Value]', '120');
  await page.keyboard.press('Enter');
  await page.waitForSelector('[data-property=Amount]');
  await page.click('[aria-label="Add a property"]');
  await page.fill('[aria-label=Property]', 'Due');
  await page.selectOption('[data-property-kind] select', 'date');
  await page.fill('input[name=property-day]', '2027-03-01');
  await page.click('[data-property-form] button[type=submit]');
  await page.locator('[data-property=Due]', { hasText: 'Mar 1, 2027' }).waitFor();
  await page.click('[aria-label="Add a property"]');
  await page.fill('[aria-label=Property]', 'Paid');
  await page.selectOption('[data-property-kind] select', 'boolean');
  await noBarriers(page, 'a property that is made');
  await page.screenshot({ path: `${out}marks-property.png` });
  await page.click('[data-property-form] button[type=submit]');
  await page.locator('[data-property=Paid] [role=checkbox][aria-checked=true]').click();
  await page.locator('[data-property=Paid] [role=checkbox][aria-checked=false]').waitFor();
  // What is there is changed in its place.
  await page.locator('[data-property=Due] dd button').first().click();
  await page.fill('input[name=property-day]', '2027-03-02');
  await page.click('[data-property-form] >> text="Save"');
  await page.locator('[data-property=Due]', { hasText: 'Mar 2, 2027' }).waitFor();
  const entry = async () =>
    (await (await files.call('GET', `/folders/${folder}/children?limit=100`)).json()).items.find(
      (item) => item.name === 'plan.txt',
    );
  await eventually(async () => (await entry()).properties, {
    Amount: { type: 'number', value: 120 },
    Due: { type: 'date', value: '2027-03-02' },
    Paid: { type: 'boolean', value: false },
  });
  assert.equal((await entry()).description, 'The plan that was agreed on.');
  await eventually(
    async () => (await row(page, 'Inside').innerText()).replaceAll(/\s/g, ' ').includes('10 KB'),
    true,
    'a folder has its size',
  );
  await noBarriers(page, 'inspector');
  await page.screenshot({ path: `${out}marks-list.png` });
  await click(page, 'Inside');
  await page.waitForSelector('[data-total]');
  await page.click('[data-tag-places] >> text=Urgent');
  await row(page, 'plan.txt').waitFor();
  await noBarriers(page, 'tag');
  await page.screenshot({ path: `${out}marks-tag.png` });
  await page.click('nav >> text=Favourites');
  await row(page, 'plan.txt').waitFor();
  await page.click('nav >> text=Recent');
  await row(page, 'plan.txt').waitFor();
  const phone = await open({ width: 390, height: 800, theme: 'dark', language: 'ru' });
  await phone.goto(`${base}/recent`);
  await row(phone, 'plan.txt').waitFor();
  await noBarriers(phone, 'phone');
  await phone.screenshot({ path: `${out}marks-phone.png` });
}

export async function asksAboutNamesThatClash({ open, files, base, out }) {
  const page = await open();
  const folder = await ownFolder(page, files, base, 'Clashes');
  const target = await files.folder('Target', folder);
  const there = await files.folder('Both', target);
  await files.file('old.txt', 'old', 'text/plain', there);
  await files.file('same.txt', 'old', 'text/plain', target);
  const here = await files.folder('Both', folder);
  await files.file('new.txt', 'new', 'text/plain', here);
  await files.file('same.txt', 'new', 'text/plain', folder);
  await row(page, 'same.txt').waitFor();
  const moveTo = async (name, mode) => {
    await click(page, name);
    await page.keyboard.press(mode === 'copy' ? 'Control+c' : 'Control+x');
    await row(page, 'Target').dblclick({ position: { x: 60, y: 12 } });
    await page.waitForFunction(() => document.querySelector('nav h1')?.textContent?.trim() === 'Target');
    await page.keyboard.press('Control+v');
    await page.waitForSelector('[data-clash]');
  };
  await moveTo('Both', 'move');
  await noBarriers(page, 'clash');
  await page.screenshot({ path: `${out}marks-clash.png` });
  await page.click('[data-clash=merge]');
  await eventually(() => onServer(files, there), ['new.txt', 'old.txt'], 'the folders are one');
  await eventually(() => onServer(files, folder), ['Target', 'same.txt']);
  await page.keyboard.press('Control+z');
  await eventually(() => onServer(files, folder), ['Both', 'Target', 'same.txt'], 'one step takes it back');
  await settled(page);
  await page.goBack();
  await row(page, 'same.txt').waitFor();
  await moveTo('same.txt', 'copy');
  await page.click('[data-clash=skip]');
  await page.waitForSelector('text=1 left out');
  assert.deepEqual(await onServer(files, target), ['Both', 'same.txt']);

  // Into a team's space and back to where it was.
  const space = await (await files.call('POST', '/spaces', { name: 'Crew' })).json();
  await page.goto(`${base}/files/${folder}`);
  await row(page, 'same.txt').waitFor();
  await click(page, 'same.txt');
  await page.keyboard.press('Control+c');
  // The tree draws what is in sight, and spaces of teams are below all folders that other journeys made.
  await page.hover('[role=tree]');
  await page.mouse.wheel(0, 100_000);
  await page.click('[role=tree] >> text=Crew');
  await page.waitForFunction(() => document.querySelector('nav h1')?.textContent?.trim() === 'Crew');
  await page.keyboard.press('Control+v');
  await eventually(() => onServer(files, space.root_id), ['same.txt'], 'a copy is in the other space');
  await row(page, 'same.txt').waitFor();
}

export async function renamesMergesAndFollowsTags({ open, files, base, out }) {
  const page = await open();
  const folder = await ownFolder(page, files, base, 'Tagged');
  const tag = async (name, colour) =>
    (await files.call('POST', `/spaces/${files.space}/tags`, { name, colour })).json();
  const [draft, sketch, later] = [await tag('Draft', 'red'), await tag('Sketch', 'blue'), await tag('Later', 'grey')];
  const put = async (which, ...entries) =>
    assert.ok((await files.call('POST', `/tags/${which.id}/entries`, { put_on: entries, take_off: [] })).ok);
  const one = await files.file('one.txt', '1', 'text/plain', folder);
  const two = await files.file('two.txt', '2', 'text/plain', folder);
  await put(draft, one);
  await put(sketch, one, two);
  const places = () =>
    page.$$eval('[data-tag-places] a', (list) =>
      list
        .map((item) => item.textContent.trim())
        .filter((name) => ['Draft', 'Sketch', 'Later', 'Outline'].includes(name)),
    );
  await eventually(places, ['Draft', 'Later', 'Sketch'], 'tags made elsewhere come by themselves');
  await row(page, 'two.txt').locator('[data-tags]').waitFor();

  // What has several of them.
  await page.click('[data-tag-places] >> text=Sketch');
  await eventually(async () => (await names(page)).sort(), ['one.txt', 'two.txt']);
  await page.click('[data-filter=tag]');
  await page.click(`[data-action="tag-${draft.id}"]`);
  await eventually(() => names(page), ['one.txt'], 'two tags find what has both');

  const task = async (name, action) => {
    await page.hover(`[data-tag-places] a:has-text("${name}")`);
    await page.click(`[data-tag-places] [aria-label="Actions for the tag “${name}”"]`);
    await page.click(`[data-action=${action}]`);
  };
  await task('Draft', 'tag-edit');
  await page.fill('input[name=tag-name]', 'Later');
  await page.click('[data-tag-act]');
  await page.waitForSelector('text=There is a tag of this name.');
  await page.fill('input[name=tag-name]', 'Outline');
  await page.click('[role=dialog] [aria-label=Green]');
  await noBarriers(page, 'edit a tag');
  await page.click('[data-tag-act]');
  await eventually(places, ['Later', 'Outline', 'Sketch'], 'renamed');
  const onServerNow = async () =>
    (await (await files.call('GET', `/spaces/${files.space}/tags`)).json()).items
      .filter((item) => [draft.id, sketch.id, later.id].includes(item.id))
      .map((item) => `${item.name} ${item.colour}`)
      .sort();
  assert.deepEqual(await onServerNow(), ['Later grey', 'Outline green', 'Sketch blue']);

  await page.goto(`${base}/tags`);
  await page.waitForSelector('[data-tag-row=Sketch] >> text=2 items');
  await noBarriers(page, 'tags');
  await page.screenshot({ path: `${out}tags-page.png` });
  await page.click('[data-tag-row=Outline] button');
  await page.click('[data-action=tag-merge]');
  await page.click('[data-into=Later]');
  await noBarriers(page, 'merge');
  await page.screenshot({ path: `${out}tags-merge.png` });
  await page.click('[data-tag-act]');
  await eventually(places, ['Later', 'Sketch'], 'merged');
  await page.waitForSelector('[data-tag-row=Later] >> text=1 item');
  // Who had the one by its id has the other.
  await page.goto(`${base}/search?q=tag:${draft.id}`);
  await eventually(() => names(page), ['one.txt']);
  await page.waitForSelector('[data-chip] >> text=Later');
  await task('Later', 'tag-delete');
  await page.click('[data-tag-act]');
  await eventually(places, ['Sketch'], 'deleted');
  await page.locator('button:visible', { hasText: 'Undo' }).last().click();
  await eventually(places, ['Later', 'Sketch'], 'and taken back');
  assert.deepEqual(await onServerNow(), ['Later grey', 'Sketch blue']);

  // A star that was set elsewhere shows when the page is looked at again.
  await page.goto(`${base}/files/${folder}`);
  await row(page, 'two.txt').waitFor();
  await files.call('PUT', `/entries/${two}/favourite`);
  await page.reload();
  await row(page, 'two.txt').locator('[data-star]').waitFor();
}
