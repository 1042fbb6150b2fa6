// Which uploads go together in one request.
import { resumableFromBytes } from './send';
import type { UploadRow } from './rows';

/** What one request carries at most. If it is lost, all of it is sent again, so it is no more than a file that is sent
 * whole may have; the server itself would take more. */
export const loadFiles = 200;
export const loadBytes = resumableFromBytes;
/** Larger files go by themselves: each has its own progress and holds up no other. */
export const loadFileBytes = 1024 * 1024;

/** A name with a slash would be a path, and make folders; by itself the server refuses it. */
const fits = (row: UploadRow) => row.size <= loadFileBytes && !row.name.includes('/');

/**
 * The uploads that the next request is for: the first that waits, and with it what is as small and goes to the same folder
 * under the same rule. A folder is told by its id, and not several by paths: a folder that somebody has renamed meanwhile
 * would be made anew by its old path.
 *
 * What was sent together before stays together, since the server knows under that name what it has done of it already. For
 * the same reason no two files of one name are in one request: one would be taken for the other sent again.
 */
export function nextLoad(rows: readonly UploadRow[]): UploadRow[] {
  const waiting = rows.filter((row) => row.state === 'waiting');
  const [first] = waiting;
  if (!first) return [];
  if (first.operation) return waiting.filter((row) => row.operation === first.operation);
  if (!fits(first)) return [first];
  const load: UploadRow[] = [];
  const names = new Set<string>();
  let bytes = 0;
  for (const row of waiting) {
    if (row.operation || row.parent !== first.parent || row.onConflict !== first.onConflict) continue;
    if (!fits(row) || names.has(row.name) || bytes + row.size > loadBytes) continue;
    load.push(row);
    names.add(row.name);
    bytes += row.size;
    if (load.length === loadFiles) break;
  }
  return load;
}
