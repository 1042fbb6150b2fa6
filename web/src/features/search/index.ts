// What other features may use of the search. The page and its engine are fetched when they are first wanted.
import { shallowRef } from 'vue';

/** The folder from which the search was begun, which is offered as the place to search in. */
export const beganIn = shallowRef<string | null>(null);
