// What other features may use of sharing. All but these lines is fetched when something is first shared.
import { shallowRef, watch } from 'vue';
import { drive } from '@/data/drive';

/** What a dialog about sharing is about. */
export interface Shared {
  id: string;
  name: string;
  kind: 'folder' | 'file';
}

/** What is being shared now: the dialog is open while there is something. */
export const sharing = shallowRef<Shared | null>(null);
watch(drive, () => (sharing.value = null));
