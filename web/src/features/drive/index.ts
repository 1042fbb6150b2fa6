// What other features may use of the drive.
export { default as DrivePage } from './DrivePage.vue';
export { clash } from './clash';
/** Taking things along comes with the first that are. */
export const download: typeof import('./download').download = async (items, folder) =>
  (await import('./download')).download(items, folder);
export { default as FolderTree } from './FolderTree.vue';

// What shows items that are in no folder together: the results of a search, favourites. Their frame is in `later.ts`.
export { columnKeys, type ColumnKey, type NoteKey, type View, type ViewPrefs } from './prefs';
/** What is done elsewhere can be taken back with the same keys. */
export { history } from './history';
export { createFolderState, provideFolder } from './folder';
export { sortItems } from './sort';
export { offerDriveActions } from './actions';
export type { Note, Place } from './place';
