// Whether notices are shown by the system too, while nobody looks at this page. Off until somebody wants it, and then for
// this browser alone.
import { effectScope } from 'vue';
import { useStored } from '@/lib/element';

export const outside = effectScope(true).run(() => useStored('holdfast.notify', false))!;
