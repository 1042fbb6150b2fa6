// What a search found, as a place of the drive: with the same lists, keys and actions as a folder.
import { computed, shallowRef, watch, type Ref } from 'vue';
import { useI18n } from 'vue-i18n';
import type { Alias } from '@/data/db';
import { useDrive } from '@/data/drive';
import type { Item } from '@/data/project';
import { onSearchChange, search, type Progress } from '@/data/search/client';
import type { Ordering } from '@/data/search/searchIndex';
import { useLive } from '@/data/useLive';
import { columnKeys, type ColumnKey, type Place, type ViewPrefs } from '@/features/drive';
import { useListPrefs, useTotalsOfEach } from '@/features/drive/later';

/** More than a person looks through; the number of all is told. */
const most = 2_000;
const byRank: Ordering = { sort: 'rank', descending: false };
const columns: readonly ColumnKey[] = ['where', ...columnKeys];
/** The same for all searches, but for the order: what fits best comes first in each of them. */
const fresh: ViewPrefs = {
  view: 'list',
  ...byRank,
  group: 'none',
  columns: ['where', 'modified', 'size'],
};

export function useResults(text: Readonly<Ref<string>>) {
  const { t } = useI18n();
  const drive = useDrive();
  const order = shallowRef<Ordering>(byRank);
  const found = shallowRef<Progress | null>(null);
  /** The question that `found` answers. */
  const answered = shallowRef('');
  const kept = useListPrefs('search', fresh, columns);

  async function ask(): Promise<void> {
    const asked = text.value;
    const question = { text: asked, order: order.value, limit: most, own: t('nav.personal') };
    await search('page', question, (progress) => {
      // While more of the same comes, what is shown already stays as it is.
      const same =
        answered.value === asked && !progress.done && (found.value?.items.length ?? 0) > progress.items.length;
      if (!same) found.value = progress;
      answered.value = asked;
    });
  }
  watch([text, order], () => void ask(), { immediate: true });
  onSearchChange(() => void ask());
  watch(text, () => (order.value = byRank));

  const items = computed(() => found.value?.items ?? []);
  const aliases = useLive(() => drive.db.aliases.toArray(), [] as Alias[]);
  const loaded = computed(() => found.value !== null);
  const live = <T>(value: Readonly<Ref<T>>) => Object.assign(value, { loaded });
  const prefs = computed((): ViewPrefs => ({ ...kept.prefs.value, ...order.value }));
  const place: Place = {
    id: () => 'search',
    title: () => t('search.results'),
    folder: live(shallowRef(null)),
    crumbs: live(shallowRef<readonly Item[]>([])),
    stored: live(computed(() => ({ items: items.value, aliases: aliases.value }))),
    items,
    totals: useTotalsOfEach(items),
    space: live(shallowRef(null)),
    prefs,
    setPrefs: (change) => {
      const { sort, descending } = { ...order.value, ...change };
      kept.setPrefs({ ...change, ...byRank });
      if (sort !== order.value.sort || descending !== order.value.descending) order.value = { sort, descending };
    },
    views: ['list', 'grid'],
    columns,
    rank: 'actions.sort_rank',
    keepView: () => undefined,
  };
  return { place, found, answered };
}
