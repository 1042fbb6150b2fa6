// From what was dropped or picked to files in folders: walks dropped folders and makes theirs on the way.
import { useDrive, type Drive } from '@/data/drive';
import type { Item } from '@/data/project';
import * as read from '@/data/read';
import { uploads, type Wanted } from './queue';

/** Deeper trees than the server takes are refused by it; this only bounds a walk that a loop of links would make endless. */
const maxDepth = 128;

type Target = Pick<Item, 'id' | 'space_id' | 'name'>;

/** The folder of that name, made if it is not there: folders merge, as people expect of them. */
async function folderIn(drive: Drive, parent: Target, name: string): Promise<Target> {
  const there = (await read.children(drive.db, parent.id, 'folder')).find((item) => item.name === name);
  if (there) return there;
  const full = await read.item(drive.db, parent.id);
  if (!full) throw new Error(`the folder ${parent.name} is gone`);
  return { id: await drive.createFolder(full, name), space_id: parent.space_id, name };
}

const fileOf = (entry: FileSystemFileEntry) => new Promise<File>((resolve, reject) => entry.file(resolve, reject));

async function entriesOf(folder: FileSystemDirectoryEntry): Promise<FileSystemEntry[]> {
  const reader = folder.createReader();
  const all: FileSystemEntry[] = [];
  // A reader answers in pages of about a hundred and an empty one at the end.
  for (;;) {
    const page = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject));
    if (page.length === 0) return all;
    all.push(...page);
  }
}

async function walk(
  drive: Drive,
  entry: FileSystemEntry,
  parent: Target,
  depth: number,
  into: Wanted[],
): Promise<void> {
  if (entry.isFile) {
    into.push({ file: await fileOf(entry as FileSystemFileEntry), parent });
  } else if (entry.isDirectory && depth < maxDepth) {
    const folder = await folderIn(drive, parent, entry.name);
    for (const child of await entriesOf(entry as FileSystemDirectoryEntry))
      await walk(drive, child, folder, depth + 1, into);
  }
}

/** Has to be called inside the drop event: the browser takes the items back afterwards. */
export async function uploadDropped(items: readonly DataTransferItem[], folder: Item): Promise<void> {
  const drive = useDrive();
  const entries = items.map((item) => ({ entry: item.webkitGetAsEntry(), file: item.getAsFile() }));
  const wanted: Wanted[] = [];
  for (const { entry, file } of entries) {
    if (entry) await walk(drive, entry, folder, 0, wanted);
    else if (file) wanted.push({ file, parent: folder });
  }
  await uploads.add(wanted);
}

/** Files from a picker or the clipboard; those of a picked folder know their place in it. */
export async function uploadFiles(files: readonly File[], folder: Item): Promise<void> {
  const drive = useDrive();
  const known = new Map<string, Target>([['', folder]]);
  const wanted: Wanted[] = [];
  for (const file of files) {
    const names = file.webkitRelativePath.split('/').slice(0, -1).filter(Boolean);
    let path = '';
    let target: Target = folder;
    for (const name of names) {
      path += `/${name}`;
      target = known.get(path) ?? (await folderIn(drive, target, name));
      known.set(path, target);
    }
    wanted.push({ file, parent: target });
  }
  await uploads.add(wanted);
}

/** Opens the browser's picker. Must come from a click. */
export function pickFiles(folder: Item, what: 'files' | 'folder'): void {
  const input = document.createElement('input');
  input.type = 'file';
  input.multiple = true;
  input.webkitdirectory = what === 'folder';
  input.onchange = () => void uploadFiles([...(input.files ?? [])], folder);
  input.click();
}
