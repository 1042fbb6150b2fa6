// What the frame of the page offers to the pages in it.
import { useLocalStorage, useMediaQuery } from '@vueuse/core';
import { ref } from 'vue';

/** The sidebar is a drawer here. */
export const isPhone = useMediaQuery('(max-width: 639.9px)');
/** The inspector is a sheet here. */
export const isNarrow = useMediaQuery('(max-width: 899.9px)');
export const drawerOpen = ref(false);
export const railed = useLocalStorage('holdfast.rail', false);
export const inspectorOpen = useLocalStorage('holdfast.inspector', true);
export const paletteOpen = ref(false);
