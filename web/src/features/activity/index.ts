// What other features may use of the activity.
import { defineAsyncComponent } from 'vue';

export const ActivityPanel = defineAsyncComponent(() => import('./ActivityPanel.vue'));
