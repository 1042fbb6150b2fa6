// What other features may use of tags. The dialogs are fetched when they are first wanted.
import { shallowRef, watch } from 'vue';
import { drive } from '@/data/drive';
import type { Tag } from '@/data/marks';
import type { Item } from '@/data/project';

/** What is being tagged now: the dialog is open while there is something. */
export const tagging = shallowRef<readonly Item[]>([]);

/** What is being done to a tag itself: its dialog is open while there is something. */
export const tagTask = shallowRef<{ what: 'edit' | 'merge' | 'delete'; tag: Tag } | null>(null);
watch(drive, () => {
  tagging.value = [];
  tagTask.value = null;
});

export { default as TagDot } from './TagDot.vue';
export { default as TagDots } from './TagDots.vue';
