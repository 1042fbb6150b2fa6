// What stands on the tab of the browser: where one is, and on whose server.
import { watchEffect } from 'vue';
import { instanceName } from './instance';

/** An empty place leaves the server's name alone. */
export function useTitle(place: () => string): void {
  watchEffect(() => (document.title = place() ? `${place()} · ${instanceName.value}` : instanceName.value));
}
