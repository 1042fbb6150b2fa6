// What other features may use of the notifications. The panel and what makes the notices are fetched when they are wanted.
import { ref, watch } from 'vue';
import { drive } from '@/data/drive';

export const bellOpen = ref(false);
watch(drive, () => (bellOpen.value = false));

export { default as BellButton } from './BellButton.vue';
