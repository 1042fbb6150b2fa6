// What others may use to show files.
import { defineAsyncComponent } from 'vue';

export { provideBytes, useBytes, type ByteSource, type Viewed } from './bytes';
export { useFileUrl } from './useFileUrl';
/** The inside of a file, whatever its kind. */
export const FileLook = defineAsyncComponent(() => import('./FileLook.vue'));
