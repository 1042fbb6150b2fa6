// What others may use to show files.
import { defineAsyncComponent } from 'vue';

export { provideBytes, useBytes, type ByteSource, type Viewed } from './bytes';
export { useFileUrl } from './useFileUrl';
/** What a camera noted in a picture. */
export const PictureFacts = defineAsyncComponent(() => import('./PictureFacts.vue'));
/** The inside of a file, whatever its kind. */
export const FileLook = defineAsyncComponent(() => import('./FileLook.vue'));
export { listenForLookKeys, provideLookKeys } from './keys';
