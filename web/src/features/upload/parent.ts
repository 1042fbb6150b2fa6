// The folder that an upload goes to, as the server knows it.
import { Problem } from '@/api/problem';
import type { Drive } from '@/data/drive';
import * as read from '@/data/read';

const askAgainMs = 150;

/** A folder that was made here is there for files once the outbox has sent it. */
export async function folderOnServer(owner: Drive, id: string, signal: AbortSignal): Promise<string> {
  for (;;) {
    signal.throwIfAborted();
    const real = await read.realId(owner.db, id);
    const making = await owner.db.ops.filter((op) => 'temp' in op && op.temp === real).first();
    if (!making) return real;
    if (making.state === 'parked') throw new Problem(404, 'not-found', 'The folder for it could not be made.');
    owner.sync.kick();
    await pause(signal);
  }
}

/** Until it is time to ask again, or not needed any more. */
function pause(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const over = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', over);
      resolve();
    };
    const timer = setTimeout(over, askAgainMs);
    signal.addEventListener('abort', over);
  });
}
