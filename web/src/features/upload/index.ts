// What other features may use of uploads.
export { default as UploadTray } from './UploadTray.vue';
export { uploadDropped, uploadFiles, pickFiles } from './gather';
