// What begins a while after the page has met the server: nothing of it may hold up the first list.
import { onScopeDispose, watch } from 'vue';
import type { Drive } from '@/data/drive';
import { i18n } from '@/i18n';
import { learnRefusals } from '@/i18n/refusals';
import { toast } from '@/ui/toasts';
import { learnInstance } from './instance';

// What the server made of a change, where it is not simply what was asked for.
const noteKeys = {
  'renamed-too': 'note_renamedToo',
  'number-added': 'note_numberAdded',
  merged: 'note_merged',
  'kept-edited': 'note_keptEdited',
  gone: 'note_gone',
  'restored-elsewhere': 'note_restoredElsewhere',
} as const;

const wordsAfterMs = 1_000;
const paletteAfterMs = 1_500;
const nameAfterMs = 2_000;
const noticesAfterMs = 2_500;
const marksAfterMs = 3_000;
const searchAfterMs = 3_500;
const keepAfterMs = 4_000;

export function startAfterwards(drive: Drive, loadPalette: () => Promise<unknown>): void {
  const { t } = i18n.global;
  const endings: (() => void)[] = [];
  let over = false;
  onScopeDispose(() => {
    over = true;
    for (const end of endings) end();
  });
  /** Does something some time after the server was met, or was found to be away. */
  function later(ms: number, act: () => unknown): void {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const met = () => drive.sync.state.lastAt !== null || drive.sync.state.link === 'offline';
    endings.push(
      watch(met, (now) => now && (timer ??= setTimeout(() => void act(), ms)), { immediate: true }),
      () => clearTimeout(timer),
    );
  }

  // Who presses the keys for the palette or the search types on at once: they are there by then.
  later(paletteAfterMs, () => loadPalette().catch(() => undefined));
  later(0, () => import('@/data/outbox/enqueue').catch(() => undefined));
  later(searchAfterMs, () => import('@/features/search/SearchPage.vue').catch(() => undefined));

  // What it refuses is told in the words of the page.
  later(wordsAfterMs, () => learnRefusals(i18n.global.locale.value));

  // What the server calls itself may have changed.
  later(nameAfterMs, () => learnInstance().catch(() => undefined));

  // What is worth telling is gathered.
  later(noticesAfterMs, async () => {
    const { startNotices } = await import('@/features/notifications/start');
    if (!over) endings.push(startNotices(drive));
  });

  // What is shared, tagged and starred is marked in the lists. It is no news that anybody waits for.
  later(marksAfterMs, async () => {
    void import('@/data/links').then(({ pullLinks }) => pullLinks(drive.db)).catch(() => undefined);
    const { followMarks } = await import('@/data/stars');
    if (over) return;
    const marks = followMarks(drive.db, () => drive.sync.state.link === 'online');
    const unwatch = watch(
      () => drive.sync.state.link,
      (link) => link === 'online' && marks.ask(),
    );
    endings.push(marks.stop, unwatch);
  });

  // What is kept on this device is kept in step, and what the browser took away or has no room for is told.
  later(keepAfterMs, async () => {
    if ((await drive.db.pins.count()) === 0) return;
    const { keeperOf } = await import('@/data/keep/keeper');
    const { state } = keeperOf(drive);
    endings.push(
      watch(
        () => state.evicted,
        (count) => count > 0 && toast(t('keep.evicted', { count }, count), { tone: 'danger' }),
        { immediate: true },
      ),
      watch(
        () => state.beyond,
        (count) => count > 0 && toast(t('keep.full', { count }, count), { tone: 'danger' }),
        { immediate: true },
      ),
    );
  });

  endings.push(
    watch(
      () => drive.notes.length,
      () => {
        for (const { note } of drive.notes.splice(0)) toast(t(`toasts.${noteKeys[note.code]}`, { ...note }));
      },
    ),
  );

  // What is noted from here on would hide what was lost before.
  void import('@/data/eviction').then(async ({ lostChanges, noteUnsent }) => {
    const count = await lostChanges(drive.db, drive.user.id);
    if (count > 0) toast(t('toasts.evicted', { count }, count), { tone: 'danger' });
    if (over) return;
    const noting = noteUnsent(drive.db, drive.user.id);
    endings.push(() => noting.unsubscribe());
  });
}
