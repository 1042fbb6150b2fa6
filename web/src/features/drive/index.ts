// What other features may use of the drive.
export { default as DrivePage } from './DrivePage.vue';
export { clash } from './clash';
export { default as FolderTree } from './FolderTree.vue';
