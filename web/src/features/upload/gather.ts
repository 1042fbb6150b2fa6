// From what was dropped or picked to files in folders: walks dropped folders and makes theirs on the way.
import { useDrive, type Drive } from '@/data/drive';
import type { Item } from '@/data/project';
import * as read from '@/data/read';
import { entriesOf, fileOf, maxDepth } from '@/lib/entries';
import type { Dropped } from './index';
import { uploads, type Wanted } from './queue';
import type { Handle } from './source';

type Target = Pick<Item, 'id' | 'space_id' | 'name'>;
type Group = Wanted['group'];
const newGroup = (name: string): Group => ({ id: crypto.randomUUID(), name });

/** A handle of a folder, as far as it is used here. */
interface FolderHandle {
  kind: 'directory';
  name: string;
  values(): AsyncIterable<FolderHandle | (Handle & { kind: 'file' })>;
}
const isFolder = (handle: unknown): handle is FolderHandle =>
  typeof handle === 'object' && handle !== null && (handle as { kind?: string }).kind === 'directory';

/** The folder of that name, made if it is not there: folders merge, as people expect of them. */
async function folderIn(drive: Drive, parent: Target, name: string): Promise<Target> {
  const there = (await read.children(drive.db, parent.id, 'folder')).find((item) => item.name === name);
  if (there) return there;
  const full = await read.item(drive.db, parent.id);
  if (!full) throw new Error(`the folder ${parent.name} is gone`);
  return { ...(await drive.createFolder(full, name)), space_id: parent.space_id };
}

class Walk {
  readonly wanted: Wanted[] = [];
  constructor(readonly drive: Drive) {}

  async entry(entry: FileSystemEntry, parent: Target, group: Group, depth = 0): Promise<void> {
    if (entry.isFile) {
      this.wanted.push({ file: await fileOf(entry as FileSystemFileEntry), parent, group });
    } else if (entry.isDirectory && depth < maxDepth) {
      const folder = await folderIn(this.drive, parent, entry.name);
      const own = group ?? newGroup(entry.name);
      for (const child of await entriesOf(entry as FileSystemDirectoryEntry))
        await this.entry(child, folder, own, depth + 1);
    }
  }

  async handle(handle: Handle | FolderHandle, parent: Target, group: Group, depth = 0): Promise<void> {
    if (!isFolder(handle)) {
      this.wanted.push({ file: await handle.getFile(), handle, parent, group });
    } else if (depth < maxDepth) {
      const folder = await folderIn(this.drive, parent, handle.name);
      const own = group ?? newGroup(handle.name);
      for await (const child of handle.values()) await this.handle(child, folder, own, depth + 1);
    }
  }
}

export async function addDropped(dropped: readonly Dropped[], folder: Item): Promise<void> {
  const walk = new Walk(useDrive());
  for (const { entry, file, handle } of dropped) {
    const held = await handle;
    if (held) await walk.handle(held, folder, null);
    else if (entry) await walk.entry(entry, folder, null);
    else if (file) walk.wanted.push({ file, parent: folder, group: null });
  }
  await uploads.add(walk.wanted, walk.drive);
}

export async function addHandles(handles: readonly Handle[], folder: Item): Promise<void> {
  const walk = new Walk(useDrive());
  for (const handle of handles) await walk.handle(handle, folder, null);
  await uploads.add(walk.wanted, walk.drive);
}

/** Files from a picker or the clipboard; those of a picked folder know their place in it. */
export async function addFiles(files: readonly File[], folder: Item): Promise<void> {
  const drive = useDrive();
  const known = new Map<string, Target>([['', folder]]);
  const groups = new Map<string, Group>();
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
    const top = names[0];
    if (top !== undefined && !groups.has(top)) groups.set(top, newGroup(top));
    wanted.push({ file, parent: target, group: top === undefined ? null : (groups.get(top) ?? null) });
  }
  await uploads.add(wanted, drive);
}
