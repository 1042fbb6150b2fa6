// What other features may use of uploads. The tray comes with the first upload.
import { defineAsyncComponent } from 'vue';

export const UploadTray = defineAsyncComponent(() => import('./UploadTray.vue'));
export { uploadDropped, uploadFiles, pickFiles } from './gather';
export { uploads } from './queue';
