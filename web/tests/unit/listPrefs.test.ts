// How a list that is no folder is shown is kept on this device, each list for itself.
import { beforeEach, expect, it } from 'vitest';
import { useListPrefs } from '@/features/drive/listPrefs';
import { prefsOf, type ColumnKey, type ViewPrefs } from '@/features/drive/prefs';

const columns: readonly ColumnKey[] = ['where', 'did', 'modified', 'size'];
const fresh: ViewPrefs = {
  view: 'list',
  sort: 'rank',
  descending: false,
  group: 'none',
  columns: ['where', 'did'],
};
beforeEach(() => localStorage.clear());

it('remembers the columns and the order of one list, and leaves others and the folders alone', () => {
  const folders = prefsOf('any');
  useListPrefs('recent', fresh, columns).setPrefs({ columns: ['did', 'size'], sort: 'size', descending: true });
  expect(useListPrefs('recent', fresh, columns).prefs.value).toMatchObject({
    columns: ['did', 'size'],
    sort: 'size',
    descending: true,
  });
  expect(useListPrefs('favourites', fresh, columns).prefs.value).toEqual(fresh);
  expect(prefsOf('any')).toEqual(folders);
});

it('begins anew where what was kept makes no sense', () => {
  localStorage.setItem('holdfast.list.recent', '{"view":7,"columns":["did","gone"],"sort":"luck"}');
  expect(useListPrefs('recent', fresh, columns).prefs.value).toEqual({ ...fresh, columns: ['did'] });
  localStorage.setItem('holdfast.list.recent', 'no json');
  expect(useListPrefs('recent', fresh, columns).prefs.value).toEqual(fresh);
});
