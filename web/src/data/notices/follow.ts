// Which folders a person is told of. All of them at first; what is said of a folder holds for what is below it, until
// something else is said further down.
import type { DriveDb } from '../db';

const deepest = 256;

/** `known` remembers answers while several are asked for. */
export async function isFollowed(
  db: DriveDb,
  folder: string | null,
  known = new Map<string, boolean>(),
): Promise<boolean> {
  const path: string[] = [];
  let answer = true;
  for (let at = folder; at && path.length < deepest; at = (await db.entries.get(at))?.parent_id ?? null) {
    const said = known.get(at) ?? (await db.follows.get(at))?.on;
    if (said !== undefined) {
      answer = said;
      break;
    }
    path.push(at);
  }
  for (const step of path) known.set(step, answer);
  return answer;
}

export async function setFollowed(db: DriveDb, folder: string, on: boolean): Promise<void> {
  await db.follows.put({ id: folder, on });
}
