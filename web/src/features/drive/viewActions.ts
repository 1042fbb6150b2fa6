// How the open folder is shown, as actions.
import { Columns3, GalleryHorizontalEnd, Info, LayoutGrid, List } from '@lucide/vue';
import { computed, type Component } from 'vue';
import { offer, type Action } from '@/actions/registry';
import { inspectorOpen } from '@/app/shell';
import type { FolderState } from './folder';
import { columnKeys, groupings, sortKeys, views, type View } from './prefs';

export const viewIcons: Record<View, Component> = {
  list: List,
  grid: LayoutGrid,
  columns: Columns3,
  gallery: GalleryHorizontalEnd,
};
const sorts = ['sort-rank', ...sortKeys.map((key) => `sort-${key}`), '-', 'sort-descending'];
const groups = groupings.map((key) => `group-${key}`);
const columns = columnKeys.map((key) => `column-${key}`);

/** What the button beside the views opens; `#` begins a heading. */
export const arrangeMenu = ['#drive.sort', ...sorts, '#drive.group', ...groups];
export const columnMenu = ['#drive.listColumns', ...columns];
export const viewMenu = views.map((view) => `view-${view}`);

export function offerViewActions(state: FolderState): void {
  const view = computed(() => state.prefs.value.view);
  const set = (actions: readonly Action[]) => offer(actions);
  set(
    views.map((id, at) => ({
      id: `view-${id}`,
      label: `actions.view_${id}`,
      group: 'view' as const,
      icon: viewIcons[id],
      shortcuts: [`mod+${at + 1}`],
      enabled: () => state.views.includes(id),
      checked: () => view.value === id,
      run: () => state.setPrefs({ view: id }),
    })),
  );
  set(
    sortKeys.map((key) => ({
      id: `sort-${key}`,
      label: `actions.sort_${key}`,
      group: 'view' as const,
      checked: () => state.prefs.value.sort === key,
      run: () => state.setPrefs({ sort: key }),
    })),
  );
  set(
    groupings.map((key) => ({
      id: `group-${key}`,
      label: `actions.group_${key}`,
      group: 'view' as const,
      enabled: () => !state.isSearch && (view.value === 'list' || view.value === 'grid'),
      checked: () => state.prefs.value.group === key,
      run: () => state.setPrefs({ group: key }),
    })),
  );
  set(
    columnKeys.map((key) => ({
      id: `column-${key}`,
      label: `actions.column_${key}`,
      group: 'view' as const,
      hidden: true,
      enabled: () => view.value === 'list' && state.columns.includes(key),
      checked: () => state.prefs.value.columns.includes(key),
      run: () => {
        const { columns: shown } = state.prefs.value;
        const next = shown.includes(key) ? shown.filter((one) => one !== key) : [...shown, key];
        state.setPrefs({ columns: state.columns.filter((one) => next.includes(one)) });
      },
    })),
  );
  set([
    {
      id: 'sort-rank',
      label: state.rank ?? 'actions.sort_rank',
      group: 'view',
      hidden: true,
      enabled: () => state.rank !== null,
      checked: () => state.prefs.value.sort === 'rank',
      run: () => state.setPrefs({ sort: 'rank', descending: false }),
    },
    {
      id: 'sort-descending',
      label: 'actions.sortDescending',
      group: 'view',
      checked: () => state.prefs.value.descending,
      run: () => state.setPrefs({ descending: !state.prefs.value.descending }),
    },
    {
      id: 'inspector',
      label: 'actions.inspector',
      group: 'view',
      icon: Info,
      shortcuts: ['mod+i'],
      checked: () => inspectorOpen.value,
      run: () => void (inspectorOpen.value = !inspectorOpen.value),
    },
  ]);
}
