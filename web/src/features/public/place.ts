// Where on the page a visitor is: `/s/{token}` is what the link leads to, `/s/{token}/{entry}` something below it. Going
// there and back is the browser's own history.
import { shallowRef } from 'vue';

export interface Place {
  token: string;
  entry: string | null;
}

export function placeOf(path: string): Place {
  const [, token = '', entry = ''] = /^\/s\/([^/]*)\/?([^/]*)/.exec(path) ?? [];
  return { token: decode(token), entry: decode(entry) || null };
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

export const pathOf = (place: Place) =>
  `/s/${encodeURIComponent(place.token)}${place.entry ? `/${encodeURIComponent(place.entry)}` : ''}`;

export const place = shallowRef<Place>(placeOf(location.pathname));
addEventListener('popstate', () => (place.value = placeOf(location.pathname)));

export function go(entry: string | null, replace = false): void {
  const next = { ...place.value, entry };
  history[replace ? 'replaceState' : 'pushState'](null, '', pathOf(next));
  place.value = next;
}

/** A click that the browser itself is to answer: in another tab, or saved. */
export const isPlainClick = (event: MouseEvent) =>
  event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey && !event.altKey;
