// What other features may use of sharing. All but these lines is fetched when something is first shared.
import { defineAsyncComponent, shallowRef, watch } from 'vue';
import { drive } from '@/data/drive';

export const AccessPanel = defineAsyncComponent(() => import('./AccessPanel.vue'));

/** What a dialog about sharing is about. */
export interface Shared {
  id: string;
  name: string;
  kind: 'folder' | 'file';
  /** It is the root of a team's space: who has a role on it is a member. */
  team?: boolean;
}

/** What is being shared now: the dialog is open while there is something. */
export const sharing = shallowRef<Shared | null>(null);

/** A team's space that is made, or given another name: its dialog is open while there is something. */
export type SpaceWanted = 'new' | { id: string; name: string };
export const spaceDialog = shallowRef<SpaceWanted | null>(null);
watch(drive, () => {
  sharing.value = null;
  spaceDialog.value = null;
});
