// Begins what makes notices, for as long as an account is signed in here: the keeper of what the sync tells, and what takes
// long in this very tab.
import { liveQuery } from 'dexie';
import { effectScope, watch } from 'vue';
import type { Drive } from '@/data/drive';
import { NoticeKeeper } from '@/data/notices/keeper';
import { addNotice, dropNotices, setNotice, type NewNotice } from '@/data/notices/store';
import { trayWanted } from '@/features/upload';
import { uploadQueue } from '@/features/upload';
import { notify } from '@/platform/web';
import { i18n } from '@/i18n';
import { describeNotice } from './describe';
import { outside } from './outside';

/** What is over sooner than this was watched anyway. */
const longMs = 10_000;
const now = () => new Date().toISOString();
const unseen = (since: number) => document.visibilityState !== 'visible' || performance.now() - since >= longMs;

export function startNotices(drive: Drive): () => void {
  const keeper = new NoticeKeeper(drive);
  const scope = effectScope(true);
  scope.run(() => {
    watch(trayWanted, (wanted) => wanted && void watchUploads(drive, scope), { immediate: true });
  });
  const stops: (() => void)[] = [];
  void watchKept(drive, scope, stops);
  const telling = tellOutside(drive);
  return () => {
    keeper.close();
    scope.stop();
    for (const stop of stops) stop();
    telling.unsubscribe();
  };
}

/** Uploads from when the first one begins until none is left. */
async function watchUploads(drive: Drive, scope: ReturnType<typeof effectScope>): Promise<void> {
  const uploads = await uploadQueue();
  const add = (notice: Omit<NewNotice, 'at' | 'actor'>) => addNotice(drive.db, { ...notice, at: now(), actor: null });
  let began: { at: number; ids: Set<string> } | null = null;
  scope.run(() => {
    watch(
      () => uploads.active.value.length,
      (active) => {
        if (active > 0) {
          began ??= { at: performance.now(), ids: new Set() };
          for (const row of uploads.active.value) began.ids.add(row.id);
          return;
        }
        const batch = began;
        began = null;
        if (!batch) return;
        const rows = uploads.rows.filter((row) => batch.ids.has(row.id));
        const place = (some: typeof rows) => {
          const folders = new Map(some.map((row) => [row.group?.id ?? row.parent, row.group?.name ?? row.folder]));
          return { name: [...folders.values()].slice(0, 2).join(', '), to: `/files/${some[0]?.parent ?? ''}` };
        };
        const done = rows.filter((row) => row.state === 'done');
        const failed = rows.filter((row) => row.state === 'failed');
        if (failed.length > 0)
          void add({ key: `failed:${failed[0]!.id}`, kind: 'failed', count: failed.length, ...place(failed) });
        if (done.length > 0 && unseen(batch.at))
          void add({ key: `uploaded:${done[0]!.id}`, kind: 'uploaded', count: done.length, ...place(done) });
      },
      { immediate: true },
    );
    watch(
      () => uploads.conflicts.value,
      (count) => {
        const row = uploads.conflict.value;
        if (count === 0 || !row) void dropNotices(drive.db, 'conflict');
        else
          void setNotice(drive.db, {
            key: 'conflict',
            kind: 'conflict',
            at: now(),
            actor: null,
            name: row.folder,
            count,
            to: `/files/${row.parent}`,
          });
      },
      // The first question may have come before this was fetched.
      { immediate: true },
    );
  });
}

/** What was to be kept on this device is here. */
async function watchKept(drive: Drive, scope: ReturnType<typeof effectScope>, stops: (() => void)[]): Promise<void> {
  const { db } = drive;
  // Nothing is begun before something is to be kept.
  if ((await db.pins.count()) === 0)
    await new Promise<void>((resolve) => {
      const first = liveQuery(() => db.pins.count()).subscribe((count) => {
        if (count === 0) return;
        first.unsubscribe();
        resolve();
      });
      stops.push(() => first.unsubscribe());
    });
  const { keeperOf } = await import('@/data/keep/keeper');
  const { state } = keeperOf(drive);
  let began: { at: number; count: number } | null = null;
  scope.run(() =>
    watch(
      () => state.left,
      async (left) => {
        if (left > 0) {
          began = { at: began?.at ?? performance.now(), count: Math.max(began?.count ?? 0, left) };
          return;
        }
        const batch = began;
        began = null;
        if (!batch || !unseen(batch.at)) return;
        const pins = await db.pins.orderBy(':id').toArray();
        const newest = pins.sort((a, b) => (a.at < b.at ? 1 : -1))[0];
        const entry = newest && (await db.entries.get(newest.id));
        await addNotice(db, {
          key: `kept:${now()}`,
          kind: 'kept',
          at: now(),
          actor: null,
          name: entry?.name ?? '',
          count: batch.count,
          to: entry ? `/files/${entry.kind === 'folder' ? entry.id : (entry.parent_id ?? '')}` : null,
        });
      },
      { immediate: true },
    ),
  );
}

/** The newest notice through the system, where somebody wants that and does not look at this page. */
function tellOutside(drive: Drive) {
  const { db } = drive;
  const since = now();
  return liveQuery(() => db.notices.orderBy('at').last()).subscribe(async (notice) => {
    if (!notice || notice.read || notice.at < since || !outside.value || document.visibilityState === 'visible') return;
    const who = notice.actor ? ((await db.people.get(notice.actor))?.name ?? null) : null;
    notify(i18n.global.t('app.name'), describeNotice(notice, who), notice.id);
  });
}
