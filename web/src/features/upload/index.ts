// What other features may use of uploads. All but these few lines is fetched with the first upload.
import { defineAsyncComponent, shallowRef, watch } from 'vue';
import { drive } from '@/data/drive';
import type { Item } from '@/data/project';
import { pickByInput } from '@/platform/web';
import type { Handle } from './source';

export const UploadTray = defineAsyncComponent(() => import('./UploadTray.vue'));
export const UploadStatus = defineAsyncComponent(() => import('./UploadStatus.vue'));
/** Whether there is anything to show in the tray. */
export const trayWanted = shallowRef(false);

async function gather() {
  trayWanted.value = true;
  return import('./gather');
}

/** A dropped thing, with all that the browser takes back after the event. */
export interface Dropped {
  entry: FileSystemEntry | null;
  file: File | null;
  handle: Promise<Handle | null>;
}
interface WithHandle {
  getAsFileSystemHandle?: () => Promise<(Handle & { kind: string }) | null>;
}

/** Has to be called inside the drop event. */
export function uploadDropped(items: readonly DataTransferItem[], folder: Item): Promise<void> {
  const dropped = items.map((item): Dropped => ({
    entry: item.webkitGetAsEntry(),
    file: item.getAsFile(),
    handle: (item as WithHandle).getAsFileSystemHandle?.().catch(() => null) ?? Promise.resolve(null),
  }));
  return gather().then((it) => it.addDropped(dropped, folder));
}

export async function uploadFiles(files: readonly File[], folder: Item): Promise<void> {
  await (await gather()).addFiles(files, folder);
}

interface Pickers {
  showOpenFilePicker?: (options: { multiple: boolean }) => Promise<Handle[]>;
}

/** Opens the browser's picker. Must come from a click. */
export async function pickFiles(folder: Item, what: 'files' | 'folder'): Promise<void> {
  const picker = (globalThis as Pickers).showOpenFilePicker;
  if (what === 'files' && picker) {
    const handles = await picker({ multiple: true }).catch(() => []);
    if (handles.length > 0) await (await gather()).addHandles(handles, folder);
    return;
  }
  const files = await pickByInput(what);
  if (files.length > 0) await uploadFiles(files, folder);
}

/** Time for the first list to stand before what an earlier page left is looked for. */
const restMs = 800;
watch(
  drive,
  (now) => {
    trayWanted.value = false;
    if (!now) return;
    setTimeout(async () => {
      if (drive.value !== now || (await now.db.uploads.count()) === 0) return;
      trayWanted.value = true;
      await (await import('./queue')).uploads.restore();
    }, restMs);
  },
  { immediate: true },
);

/** The uploads themselves, for following them. */
export const uploadQueue = async () => (await import('./queue')).uploads;
