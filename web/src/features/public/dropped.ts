// What was dropped on a drop box: files, and those of folders. A link takes no folders, so that these arrive side by side.
import { entriesOf, fileOf, maxDepth } from '@/lib/entries';

export interface Found {
  file: File;
  /** The folders that it was in, for people; empty for a file that was dropped itself. */
  from: string;
}

/** Has to be called inside the drop event: the browser takes its things back afterwards. */
export function take(data: DataTransfer): Promise<Found[]> {
  const dropped = [...data.items]
    .filter((item) => item.kind === 'file')
    .map((item) => ({ entry: item.webkitGetAsEntry(), file: item.getAsFile() }));
  return walk(dropped);
}

async function walk(dropped: readonly { entry: FileSystemEntry | null; file: File | null }[]): Promise<Found[]> {
  const found: Found[] = [];
  async function enter(folder: FileSystemDirectoryEntry, path: string, depth: number): Promise<void> {
    if (depth > maxDepth) return;
    for (const entry of await entriesOf(folder)) {
      if (entry.isDirectory) await enter(entry as FileSystemDirectoryEntry, `${path}/${entry.name}`, depth + 1);
      else found.push({ file: await fileOf(entry as FileSystemFileEntry), from: path });
    }
  }
  for (const { entry, file } of dropped) {
    if (entry?.isDirectory) await enter(entry as FileSystemDirectoryEntry, entry.name, 1);
    else if (file) found.push({ file, from: '' });
  }
  return found;
}
