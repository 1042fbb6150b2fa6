// What the frame of the page offers to the pages in it.
import { ref } from 'vue';
import { mediaQuery, useStored } from '@/lib/element';

/** The sidebar is a drawer here. */
export const isPhone = mediaQuery('(max-width: 639.9px)');
/** The inspector is a sheet here. */
export const isNarrow = mediaQuery('(max-width: 899.9px)');
export const drawerOpen = ref(false);
export const railed = useStored('holdfast.rail', false);
export const inspectorOpen = useStored('holdfast.inspector', true);
export const paletteOpen = ref(false);
/** Counts up when the search is asked for while it is open already: its field takes the keys again. */
export const searchAsked = ref(0);
