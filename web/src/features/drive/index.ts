// What other features may use of the drive.
export { default as DrivePage } from './DrivePage.vue';
export { clash } from './clash';
/** Taking things along comes with the first that are. */
export const download: typeof import('./download').download = async (items, folder) =>
  (await import('./download')).download(items, folder);
export { default as FolderTree } from './FolderTree.vue';
