// What other features may use of the review.
import { defineAsyncComponent } from 'vue';

export const ReviewSheet = defineAsyncComponent(() => import('./ReviewSheet.vue'));
