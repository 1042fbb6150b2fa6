// Writes a Brotli copy beside each file of dist/ that shrinks by it, for a server that sends them as they are.
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { brotliCompressSync, constants } from 'node:zlib';

const dist = new URL('../dist/', import.meta.url).pathname;
const shrinks = /\.(?:js|mjs|css|html|svg|json|webmanifest|wasm)$/;
/** Below this a second copy costs more than it saves. */
const leastBytes = 512;

let count = 0;
for (const entry of await readdir(dist, { recursive: true, withFileTypes: true })) {
  if (!entry.isFile() || !shrinks.test(entry.name)) continue;
  const path = join(entry.parentPath, entry.name);
  const bytes = await readFile(path);
  if (bytes.length < leastBytes) continue;
  const packed = brotliCompressSync(bytes, {
    params: { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length },
  });
  if (packed.length < bytes.length) {
    await writeFile(`${path}.br`, packed);
    count += 1;
  }
}
// The folder is in the repository, so that the server builds without the client; emptying it took this with it.
await writeFile(join(dist, '.keep'), '');
console.log(`${count} files have a .br copy`);
