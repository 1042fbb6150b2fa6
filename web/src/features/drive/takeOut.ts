// Dragging out to the desktop. Browsers made from Chromium fetch an address when the drop ends outside of them, by
// `DownloadURL` among the data of the drag. The address must need no header, and be there when the drag begins, which
// waits for nobody: so it is asked for while the pointer is held down.
import { presignDownload } from '@/api/files';
import { isUnsent, type Item } from '@/data/project';

/** A press that is shorter is a click. */
const clickMs = 100;

/** What one address can name. */
const mostEntries = 100;

const type = 'DownloadURL';
let ready: { key: string; url: string; until: number } | null = null;
let timer: ReturnType<typeof setTimeout> | undefined;

const keyOf = (items: readonly Item[]) => items.map((item) => `${item.id}@${item.revision}`).join();
const isKnown = () => 'userAgentData' in navigator;

/** What the desktop is told: type, name, address. The name must not end the part before it. */
export function describeTakeOut(items: readonly Item[], url: string): string {
  const [only] = items;
  const file = items.length === 1 && only?.kind === 'file' ? only : null;
  const name = file ? file.name : items.length === 1 ? `${only!.name}.zip` : 'files.zip';
  return `${file?.content_type ?? (file ? 'application/octet-stream' : 'application/zip')}:${name.replaceAll(':', '_')}:${url}`;
}

async function ask(items: readonly Item[], key: string): Promise<void> {
  try {
    const { url, expires_at } = await presignDownload(items.map((item) => item.id));
    // A drag may last as long as it likes before the drop: half of the time is left for that.
    const left = Date.parse(expires_at) - Date.now();
    ready = { key, url: new URL(url, location.href).href, until: Date.now() + left / 2 };
  } catch {
    // Without a connection there is nothing to fetch; dragging inside the page works all the same.
  }
}

/** The pointer went down on these. */
export function prepareTakeOut(items: readonly Item[]): void {
  clearTimeout(timer);
  const key = keyOf(items);
  if (!isKnown() || items.length === 0 || items.length > mostEntries || items.some(isUnsent)) return;
  if (ready?.key === key && ready.until > Date.now()) return;
  timer = setTimeout(() => void ask(items, key), clickMs);
}

/** It went up again. */
export const forgetTakeOut = () => clearTimeout(timer);

/** What a drag of these carries for the desktop; nothing if the address is not there in time. */
export function takeOutData(items: readonly Item[]): Record<string, string> {
  if (ready?.key !== keyOf(items) || ready.until <= Date.now()) return {};
  return { [type]: describeTakeOut(items, ready.url) };
}
