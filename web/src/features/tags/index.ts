// What other features may use of tags. The dialog is fetched when it is first wanted.
import { shallowRef, watch } from 'vue';
import { drive } from '@/data/drive';
import type { Item } from '@/data/project';

/** What is being tagged now: the dialog is open while there is something. */
export const tagging = shallowRef<readonly Item[]>([]);
watch(drive, () => (tagging.value = []));

export { default as TagDot } from './TagDot.vue';
export { default as TagDots } from './TagDots.vue';
