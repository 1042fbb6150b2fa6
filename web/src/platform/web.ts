// What the shell around the page can do: a browser now, a desktop shell later behind the same functions.

/** The browser's way back to a file on the device, as far as it is used here; not every browser has it. */
export interface FileHandle {
  getFile(): Promise<File>;
  queryPermission?(descriptor: { mode: 'read' }): Promise<PermissionState>;
  requestPermission?(descriptor: { mode: 'read' }): Promise<PermissionState>;
}

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

/** The same for bytes that are here. */
export function downloadBlob(bytes: Blob, name: string): void {
  const url = URL.createObjectURL(bytes);
  downloadUrl(url, name);
  // A minute is ample for the browser to begin.
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}

/** Opens the browser's window for picking files; empty when it was closed without. Must come from a click. */
export function pickByInput(what: 'file' | 'files' | 'folder'): Promise<File[]> {
  return new Promise((resolve) => {
    const input = document.createElement('input');
    input.type = 'file';
    input.multiple = what !== 'file';
    input.webkitdirectory = what === 'folder';
    input.hidden = true;
    const done = () => {
      resolve([...(input.files ?? [])]);
      input.remove();
    };
    input.onchange = done;
    input.oncancel = done;
    // In the page it is not swept away while the window is open.
    document.body.append(input);
    input.click();
  });
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

/** Whether the system may be asked to show something: `absent` where the browser cannot. */
export const mayNotify = (): NotificationPermission | 'absent' =>
  'Notification' in globalThis ? Notification.permission : 'absent';

/** Asks the person. Must come from a click. */
export const askToNotify = (): Promise<NotificationPermission | 'absent'> =>
  'Notification' in globalThis ? Notification.requestPermission() : Promise.resolve('absent');

/** Shows something outside the page; the same tag takes the place of what was shown before, also by another tab. */
export function notify(title: string, body: string, tag: string): void {
  if (mayNotify() !== 'granted') return;
  try {
    const shown = new Notification(title, { body, tag, icon: '/icon.svg' });
    shown.onclick = () => {
      globalThis.focus();
      shown.close();
    };
  } catch {
    // Browsers of phones show them only from a service worker.
  }
}
