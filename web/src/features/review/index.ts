// What other features may use of the review.
import { defineAsyncComponent, ref } from 'vue';

export const ReviewHost = defineAsyncComponent(() => import('./ReviewHost.vue'));

/** Whether the sheet is open, over whatever page. */
export const reviewing = ref(false);
