// What others did, told shortly: "Anna changed 12 files in Budget". Called before the changes are written down, while what
// they take away is still known here.
import { pullLinksOf } from '../links';
import { learnPeople } from '../people';
import type { DriveDb, Entry, Notice } from '../db';
import type { Change } from '../sync/pull';
import { isFollowed } from './follow';
import { addNotice, openNotice } from './store';

type Deed = 'added' | 'changed' | 'removed';
const deeds: Readonly<Record<string, Deed>> = {
  created: 'added',
  copied: 'added',
  restored: 'added',
  content: 'changed',
  renamed: 'changed',
  moved: 'changed',
  details: 'changed',
  tagged: 'changed',
  trashed: 'removed',
  deleted: 'removed',
};
/** Folders of one notice that are remembered; what happens in further ones is told for itself. */
const mostMade = 200;

export async function noteChanges(db: DriveDb, changes: readonly Change[]): Promise<void> {
  const followed = new Map<string, boolean>();
  const actors = new Set<string>();
  /** What came with these very changes is not written down yet. */
  const fresh = new Map<string, Entry>();
  for (const change of changes) {
    if (change.entry) fresh.set(change.entry.id, change.entry);
    const deed = deeds[change.kind];
    if (!deed || !change.actor || change.actor === db.userId) continue;
    const before = fresh.get(change.entry_id) ?? (await db.entries.get(change.entry_id));
    const entry = change.entry ?? before;
    const folder = entry?.parent_id;
    // What was never known here is no news, and a root belongs to its space.
    if (!entry || !folder) continue;
    const home = fresh.get(folder)?.parent_id ?? folder;
    if (!(await isFollowed(db, (await db.entries.get(folder)) ? folder : home, followed))) continue;
    actors.add(change.actor);
    await count(db, change, change.actor, deed, entry, folder, fresh);
  }
  if (actors.size > 0) void learnPeople(db, actors).catch(() => undefined);
  await lookIntoBoxes(db, changes);
}

async function count(
  db: DriveDb,
  change: Change,
  actor: string,
  deed: Deed,
  entry: Entry,
  folder: string,
  fresh: ReadonlyMap<string, Entry>,
): Promise<void> {
  const own = `changes:${actor}:`;
  const open = (await db.notices.where('key').startsWith(own).toArray()).find(
    (one) => !one.read && one.made?.includes(folder),
  );
  const known = open ?? (await openNotice(db, own + folder, change.at));
  const made = change.entry?.kind === 'folder' && deed === 'added' ? [change.entry_id] : [];
  if (!known) {
    const place = fresh.get(folder) ?? (await db.entries.get(folder));
    await addNotice(db, {
      key: own + folder,
      kind: 'changes',
      at: change.at,
      actor,
      name: place?.name ?? '',
      count: 1,
      did: { added: 0, changed: 0, removed: 0, [deed]: 1, only: entry.name },
      made,
      sequence: change.sequence,
      to: `/files/${folder}${deed === 'removed' ? '' : `?show=${entry.id}`}`,
    });
    return;
  }
  // A page of the journal that came twice is told once.
  if ((known.sequence ?? 0) >= change.sequence) return;
  const did = known.did ?? { added: 0, changed: 0, removed: 0, only: null };
  const same = did.only === entry.name;
  await db.notices.update(known.id, {
    at: change.at,
    sequence: change.sequence,
    // Saving the same file again and again is one file that was changed.
    ...(same && deed === 'changed'
      ? { did: { ...did, changed: Math.max(did.changed, 1) } }
      : {
          count: known.count + 1,
          did: { ...did, [deed]: did[deed] + 1, only: null },
          to: known.to?.replace(/\?.*$/, '') ?? null,
        }),
    made: [...(known.made ?? []), ...made].slice(0, mostMade),
  } satisfies Partial<Notice>);
}

/** What came through a link to put files into is one's own in the journal; the link says that it was not oneself. */
async function lookIntoBoxes(db: DriveDb, changes: readonly Change[]): Promise<void> {
  const folders = new Set(
    changes
      .filter((change) => change.kind === 'created' && change.entry?.parent_id)
      .map((change) => change.entry!.parent_id!),
  );
  if (folders.size === 0) return;
  const boxes = await db.links.filter((link) => link.mode === 'upload' && folders.has(link.entry_id)).toArray();
  for (const id of new Set(boxes.map((link) => link.entry_id))) void pullLinksOf(db, id).catch(() => undefined);
}
