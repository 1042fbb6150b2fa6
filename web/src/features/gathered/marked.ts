// What somebody marked with a star, and what they had to do with lately. Both are kept on this device: they are here without
// a connection, and follow every change at once.
import { Clock, Star } from '@lucide/vue';
import { computed, h, ref, shallowRef, watch, type FunctionalComponent } from 'vue';
import { useI18n } from 'vue-i18n';
import { Problem } from '@/api/problem';
import { useDrive, type Drive } from '@/data/drive';
import { pullRecent, pullStars } from '@/data/stars';
import type { Item } from '@/data/project';
import * as read from '@/data/read';
import { useLive } from '@/data/useLive';
import { formatAgo, formatFullDate } from '@/lib/format';
import type { Gathered } from './gathered';

/** Asks for the list when it is shown, and again when the connection is back. */
function useAsked(drive: Drive, pull: () => Promise<void>) {
  const asked = ref(false);
  const problem = shallowRef<Problem | null>(null);
  async function load(): Promise<void> {
    try {
      await pull();
      problem.value = null;
    } catch (error) {
      problem.value = Problem.of(error);
    }
    asked.value = true;
  }
  void load();
  watch(
    () => drive.sync.state.link,
    (link) => link === 'online' && problem.value && void load(),
  );
  return { asked, problem, load: () => void load() };
}

export function useFavourites(): Gathered {
  const { t } = useI18n();
  const drive = useDrive();
  const { asked, problem, load } = useAsked(drive, () => pullStars(drive.db));
  const items = useLive(async () => {
    const ids = [...(await read.starred(drive.db))];
    return read.items(drive.db, ids);
  }, [] as Item[]);
  const { loaded } = items;
  return {
    name: 'favourites',
    title: () => t('places.favourites'),
    items: computed(() => (items.value.length > 0 || (asked.value && loaded.value) ? items.value : null)),
    problem,
    load,
    fresh: { sort: 'name', columns: ['where', 'modified', 'size'] },
    empty: () => ({ icon: Star, title: t('places.favouritesEmpty'), hint: t('places.favouritesEmptyHint') }),
    offline: () => t('places.offline'),
  };
}

export function useRecent(): Gathered {
  const { t, locale } = useI18n();
  const drive = useDrive();
  const { asked, problem, load } = useAsked(drive, () => pullRecent(drive.db));
  const found = useLive(
    async () => {
      const rows = (await drive.db.recent.toArray()).sort((a, b) => b.at.localeCompare(a.at));
      const items = await read.items(
        drive.db,
        rows.map((row) => row.id),
      );
      return { items, rows: new Map(rows.map((row) => [row.id, row])) };
    },
    { items: [] as Item[], rows: new Map() },
  );
  const { loaded } = found;
  const rowOf = (item: Item) => found.value.rows.get(item.id);
  /** On a phone there is room for when it was, and none for what. */
  const didCell: FunctionalComponent<{ item: Item }> = ({ item }) => {
    const row = rowOf(item);
    if (!row) return '';
    const when = formatAgo(row.at, locale.value);
    return [
      h('span', { class: 'max-sm:hidden' }, t(`places.${row.did}`, { when })),
      h('span', { class: 'sm:hidden' }, when),
    ];
  };
  didCell.props = ['item'];
  return {
    name: 'recent',
    title: () => t('places.recent'),
    items: computed(() => (found.value.items.length > 0 || (asked.value && loaded.value) ? found.value.items : null)),
    problem,
    load,
    notes: {
      did: {
        head: () => t('places.used'),
        text: (item) => {
          const row = rowOf(item);
          return row ? t(`places.${row.did}`, { when: formatAgo(row.at, locale.value) }) : '';
        },
        title: (item) => {
          const row = rowOf(item);
          return row && formatFullDate(row.at, locale.value);
        },
        cell: didCell,
      },
    },
    rank: 'places.byUse',
    fresh: { sort: 'rank', columns: ['where', 'did', 'size'] },
    empty: () => ({ icon: Clock, title: t('places.recentEmpty'), hint: t('places.recentEmptyHint') }),
    offline: () => t('places.offline'),
  };
}
