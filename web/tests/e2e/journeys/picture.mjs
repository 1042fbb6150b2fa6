// A picture of oneself: chosen, cut, shown wherever one is, and taken away again.
import AxeBuilder from '@axe-core/playwright';
import assert from 'node:assert/strict';
import { png } from '../seed.mjs';
import { eventually, ownFolder, person, signIn } from '../steps.mjs';

export async function showsPeopleByTheirPicture({ open, files, base, apiBase, out }) {
  const page = await open({ signedIn: false });
  const vera = await person(apiBase, 'vera', 'Vera Holt');
  await signIn(page, 'vera', 'long-enough-1');
  const me = async () => (await vera.call('GET', '/me')).json();
  await page.goto(`${base}/settings`);
  const choose = (name, mimeType, buffer) =>
    page.locator('[data-picture] ~ input[type=file]').setInputFiles({ name, mimeType, buffer });
  await choose('notes.txt', 'text/plain', Buffer.from('no picture'));
  await page.getByText('This browser cannot read that as a picture.', { exact: true }).waitFor();
  await choose('dot.png', 'image/png', png(8, 8, [1, 2, 3], [4, 5, 6]));
  await page.getByText('This picture is too small', { exact: false }).last().waitFor();

  await choose('me.png', 'image/png', png(1200, 800, [250, 180, 130], [50, 80, 150]));
  const stage = page.locator('[data-crop]');
  await stage.waitFor();
  const pixel = () =>
    stage.locator('canvas').evaluate((canvas) => [...canvas.getContext('2d').getImageData(4, 4, 1, 1).data]);
  await eventually(async () => (await pixel())[3], 255, 'the picture is drawn');
  const before = await pixel();
  await stage.focus();
  for (let step = 0; step < 6; step += 1) await page.keyboard.press('ArrowRight');
  await eventually(async () => String(await pixel()) !== String(before), true, 'arrows move it');
  await page.locator('[role=dialog] input[type=range]').fill('2');
  await page.waitForTimeout(200);
  const { violations } = await new AxeBuilder({ page }).include('[role=dialog]').analyze();
  assert.deepEqual(
    violations.map((one) => `${one.id} ${one.nodes[0].target}`),
    [],
  );
  await page.screenshot({ path: `${out}picture-crop.png` });
  await page.click('[data-save-picture]');
  await page.getByText('Your picture is there', { exact: true }).waitFor();

  // The server has a small square of it, and nothing of the file that it came from.
  const { id, picture } = await me();
  assert.ok(picture);
  const stored = await vera.call('GET', `/users/${id}/picture`);
  const size = await page.evaluate(
    async (bytes) => {
      const bitmap = await createImageBitmap(new Blob([new Uint8Array(bytes)]));
      return [bitmap.width, bitmap.height];
    },
    [...new Uint8Array(await stored.arrayBuffer())],
  );
  assert.deepEqual(size, [256, 256]);
  const shown = (place) =>
    eventually(
      () => place.locator('img').evaluateAll((all) => all.map((one) => one.complete && one.naturalWidth)),
      [256],
      'it is shown',
    );
  await shown(page.locator('[data-account]'));
  await page.reload();
  await shown(page.locator('[data-account]'));

  // Others see it where they share, and in what she did.
  const admin = await open();
  const folder = await ownFolder(admin, files, base, 'With Vera');
  assert.ok(
    (await files.call('PUT', `/entries/${folder}/grants`, { subject: { kind: 'user', id }, role: 'editor' })).ok,
  );
  const done = await (await vera.call('POST', '/folders', { name: 'Of Vera', parent_id: folder })).json();
  await admin.locator(`[role=grid] [data-name="Of Vera"] [data-handle]`).first().click();
  await shown(admin.locator('[data-history] [data-activity=created]'));
  await admin.keyboard.press('Escape');
  await admin.keyboard.press('Alt+s');
  await shown(admin.locator('[data-grant="Vera Holt"]'));
  await admin.screenshot({ path: `${out}picture-shared.png` });
  assert.ok(done.id);

  await page.goto(`${base}/settings`);
  await page.locator('[data-picture]').getByRole('button', { name: 'Remove' }).click();
  await eventually(async () => (await me()).picture, null);
  await eventually(() => page.locator('[data-account] img').count(), 0, 'her initials are back');
  assert.equal(
    await page
      .locator('[data-account]')
      .innerText()
      .then((text) => text.includes('VH')),
    true,
  );
}
