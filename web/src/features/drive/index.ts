// What other features may use of the drive.
import { defineAsyncComponent } from 'vue';

export { default as DrivePage } from './DrivePage.vue';
export { clash } from './clash';
/** Taking things along comes with the first that are. */
export const download: typeof import('./download').download = async (items, folder) =>
  (await import('./download')).download(items, folder);
export { default as FolderTree } from './FolderTree.vue';

// What shows items that are in no folder together: the results of a search.
export { arrangeMenu, columnMenu, viewIcons } from './viewActions';
export { columnKeys, type ColumnKey, type View, type ViewPrefs } from './prefs';
/** What is done elsewhere can be taken back with the same keys. */
export { history } from './history';
export { createFolderState, provideFolder } from './folder';
export { default as DriveAside } from './DriveAside.vue';
export { default as ListView } from './views/ListView.vue';
export { default as SelectionBar } from './SelectionBar.vue';
export { default as SyncStatus } from './SyncStatus.vue';
export { itemMenu, offerDriveActions } from './actions';
export { driveActions } from './told';
export type { Place } from './place';
export { propertyText, type Property } from './inspector/properties';
export const GridView = defineAsyncComponent(() => import('./views/GridView.vue'));
export const PhoneBar = defineAsyncComponent(() => import('./PhoneBar.vue'));
