// What other features may use of the review.
import { defineAsyncComponent, ref } from 'vue';

export const ReviewSheet = defineAsyncComponent(() => import('./ReviewSheet.vue'));

/** Rises when somebody wants to see the sheet, wherever they are. */
export const reviewAsked = ref(0);
