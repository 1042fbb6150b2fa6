// Files that are kept on this device: whether one is, and its bytes. Fetching them is in a part of its own.
import { drive, type Drive } from '../drive';
import type { KeptUse } from '../db';
import { readKept } from './store';

/** The bytes of a file as it is known here, if they are on this device. */
export async function keptFile(file: { id: string; version_id?: string }): Promise<File | null> {
  const owner = drive.value;
  if (!owner) return null;
  const row = await owner.db.kept.get(file.id).catch(() => undefined);
  if (!row || row.version !== file.version_id) return null;
  const bytes = await readKept(owner.user.id, file.id);
  return bytes?.size === row.size ? bytes : null;
}

export async function pin(owner: Drive, ids: readonly string[]): Promise<void> {
  await owner.db.pins.bulkPut(ids.map((id) => ({ id, at: new Date().toISOString() })));
  const { keeperOf } = await import('./keeper');
  void keeperOf(owner).run();
}

export async function unpin(owner: Drive, ids: readonly string[]): Promise<void> {
  await owner.db.pins.bulkDelete([...ids]);
  const { keeperOf } = await import('./keeper');
  void keeperOf(owner).run();
}

/** What is chosen and what is here, for marking it. */
export async function keptUse(owner: Drive): Promise<KeptUse> {
  const kept = await owner.db.kept.toArray();
  return {
    pinned: new Set(await owner.db.pins.toCollection().primaryKeys()),
    kept: new Map(kept.map((row) => [row.id, row.version])),
    bytes: kept.reduce((sum, row) => sum + row.size, 0),
  };
}
