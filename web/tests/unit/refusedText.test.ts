// A text that the server refused can still be read, and taken along.
import { mount } from '@vue/test-utils';
import { afterEach, expect, it, vi } from 'vitest';
import { closeDrive, drive } from '@/data/drive';
import { DriveDb } from '@/data/db';
import { newOp, type Write } from '@/data/outbox/ops';
import RefusedText from '@/features/review/RefusedText.vue';
import { i18n } from '@/i18n';
import * as web from '@/platform/web';

const db = new DriveDb('usr_refused');
afterEach(async () => {
  closeDrive();
  await db.delete();
});

it('shows the words and gives them away as a file of their name', async () => {
  drive.value = { db, close: () => undefined } as unknown as typeof drive.value;
  const op = newOp({
    kind: 'write',
    entry: 'ent_a',
    size: 5,
    content_type: 'text/plain',
    base: { name: 'log.md', parent: 'ent_root', space: 'spc', version: 'v1', etag: '"v1"' },
  }) as Write;
  await db.texts.put({ id: op.id, text: 'Typed at sea.' });
  const given = vi.spyOn(web, 'downloadBlob').mockImplementation(() => undefined);
  const view = mount(RefusedText, { props: { op }, global: { plugins: [i18n] } });
  await vi.waitFor(() => expect(view.find('[data-refused-text]').text()).toBe('Typed at sea.'));
  await view.find('[data-take-text]').trigger('click');
  const [bytes, name] = given.mock.calls[0]!;
  expect([await bytes.text(), name]).toEqual(['Typed at sea.', 'log.md']);
  view.unmount();
});
