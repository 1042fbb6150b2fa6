// What the queue knows of one upload.
import type { Problem } from '@/api/problem';
import type { KeptUpload, UploadState } from '@/data/db';

export type { UploadState };
export type UploadRow = Omit<KeptUpload, 'tab' | 'print' | 'handle' | 'file'> & { problem: Problem | null };

/** States in which there is still something to come. */
export const unfinished: ReadonlySet<UploadState> = new Set([
  'waiting',
  'sending',
  'paused',
  'conflict',
  'locked',
  'lost',
]);

export interface GroupLine {
  group: { id: string; name: string };
  rows: readonly UploadRow[];
}
/** What the tray shows, from top to bottom: dropped folders as one line each, opened ones with their files. */
export function linesOf(rows: readonly UploadRow[], opened: ReadonlySet<string>): (UploadRow | GroupLine)[] {
  const lines: (UploadRow | GroupLine)[] = [];
  const groups = new Map<string, { group: { id: string; name: string }; rows: UploadRow[] }>();
  for (const row of rows) {
    if (!row.group) {
      lines.push(row);
      continue;
    }
    const known = groups.get(row.group.id);
    if (known) known.rows.push(row);
    else {
      const made = { group: row.group, rows: [row] };
      groups.set(row.group.id, made);
      lines.push(made);
    }
  }
  const shown: (UploadRow | GroupLine)[] = [];
  for (const line of lines) {
    shown.push(line);
    if ('rows' in line && opened.has(line.group.id)) shown.push(...line.rows);
  }
  return shown;
}
