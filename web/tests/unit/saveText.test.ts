// The text of a file on its way to a field and back: byte by byte what it was where nobody typed.
import { expect, it } from 'vitest';
import { toBytes, toDraft } from '@/features/drive/quicklook/saveText';

const bytes = (...values: number[]) => Uint8Array.from(values).buffer as ArrayBuffer;
const encode = (text: string) => new TextEncoder().encode(text).buffer as ArrayBuffer;

it('comes back as it was, whatever its lines end with', async () => {
  for (const text of ['one\ntwo\n', 'one\r\ntwo\r\n', '\ufeffwith a mark', '']) {
    const draft = toDraft(encode(text));
    expect(draft?.text).not.toContain('\r');
    expect(new Uint8Array(await toBytes(draft!).arrayBuffer())).toEqual(new Uint8Array(encode(text)));
  }
});
it('takes nothing for text that cannot be written back', () => {
  expect(toDraft(bytes(0xd0, 0xd1, 0xff))).toBeNull();
});
