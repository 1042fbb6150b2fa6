// The folder that an upload goes to, as the server knows it.
import { Problem } from '@/api/problem';
import type { Drive } from '@/data/drive';
import * as read from '@/data/read';

const askAgainMs = 150;

/** A folder that was made here is there for files once the outbox has sent it. */
export async function folderOnServer(owner: Drive, id: string, signal: AbortSignal): Promise<string> {
  for (;;) {
    const real = await read.realId(owner.db, id);
    const making = await owner.db.ops.filter((op) => 'temp' in op && op.temp === real).first();
    if (!making) return real;
    if (making.state === 'parked') throw new Problem(404, 'not-found', 'The folder for it could not be made.');
    owner.sync.kick();
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(resolve, askAgainMs);
      signal.addEventListener(
        'abort',
        () => (clearTimeout(timer), reject(new DOMException('cancelled', 'AbortError'))),
        { once: true },
      );
    });
  }
}
