// The bytes that are kept on this device, each in a file of the browser's own storage for this page (OPFS), one folder for
// each account.

/** Whether this browser can keep files at all. */
export const canKeep = () => typeof navigator !== 'undefined' && typeof navigator.storage?.getDirectory === 'function';

async function folderOf(account: string): Promise<FileSystemDirectoryHandle> {
  const root = await navigator.storage.getDirectory();
  return root.getDirectoryHandle(`kept-${account}`, { create: true });
}

export async function listKept(account: string): Promise<Set<string>> {
  const names = new Set<string>();
  for await (const name of (await folderOf(account)).keys()) names.add(name);
  return names;
}

/** Writes all of a body. What was there stays until the last byte has come. */
export async function writeKept(
  account: string,
  id: string,
  body: ReadableStream<Uint8Array>,
  signal: AbortSignal,
): Promise<number> {
  const handle = await (await folderOf(account)).getFileHandle(id, { create: true });
  await body.pipeTo(await handle.createWritable(), { signal });
  return (await handle.getFile()).size;
}

export async function readKept(account: string, id: string): Promise<File | null> {
  try {
    return await (await (await folderOf(account)).getFileHandle(id)).getFile();
  } catch {
    // Cleared by the browser since it was written down.
    return null;
  }
}

export async function removeKept(account: string, id: string): Promise<void> {
  await (await folderOf(account)).removeEntry(id).catch(() => undefined);
}

export async function removeAllKept(account: string): Promise<void> {
  const root = await navigator.storage.getDirectory();
  await root.removeEntry(`kept-${account}`, { recursive: true }).catch((error: unknown) => {
    // Who never kept anything has no folder.
    if (!(error instanceof DOMException && error.name === 'NotFoundError')) throw error;
  });
}
