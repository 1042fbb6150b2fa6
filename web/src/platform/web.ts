// What the shell around the page can do: a browser now, a desktop shell later behind the same functions.

/** Hands an address to the browser's own downloads, without leaving the page. */
export function downloadUrl(url: string, name: string): void {
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.hidden = true;
  document.body.append(link);
  link.click();
  link.remove();
}

/** Downloads by navigating a hidden frame: unlike a `download` link this passes the service worker, which signs it. */
export function downloadByFrame(url: string): void {
  const frame = document.createElement('iframe');
  frame.hidden = true;
  frame.title = 'download';
  frame.src = url;
  document.body.append(frame);
  // The frame is only a start signal; a minute is ample for the answer's head to come.
  setTimeout(() => frame.remove(), 60_000);
}

export function hasServiceWorker(): boolean {
  return 'serviceWorker' in navigator && navigator.serviceWorker.controller !== null;
}

export async function copyText(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false;
  }
}

/** Asks the browser not to evict what is kept for offline. A refusal changes nothing: the server has the truth. */
export async function askToPersist(): Promise<void> {
  if (navigator.storage?.persist && !(await navigator.storage.persisted())) await navigator.storage.persist();
}
