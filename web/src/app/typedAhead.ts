// Keys that are typed for the palette or the search while they are still being fetched. They would go to the list below it and be lost, or
// worse, do something there.
let typed = '';
let entered = false;
let stop: (() => void) | null = null;
let cancel: () => void = () => undefined;

function onKey(event: KeyboardEvent): void {
  if (event.isComposing) return;
  const chord = event.ctrlKey || event.metaKey || event.altKey;
  // A chord belongs to the browser or to the page; opening and closing the palette is one.
  if (chord || event.key === 'Shift') return;
  event.preventDefault();
  event.stopImmediatePropagation();
  if (event.key === 'Escape') cancel();
  else if (event.key === 'Backspace') typed = [...typed].slice(0, -1).join('');
  else if (event.key === 'Enter') entered = true;
  else if ([...event.key].length === 1) typed += event.key;
}

/** Keeps what is typed from now on, until `takeTyped` or `dropTyped`. Escape cancels what was being fetched. */
export function keepTyped(onCancel: () => void): void {
  dropTyped();
  cancel = onCancel;
  addEventListener('keydown', onKey, { capture: true });
  stop = () => removeEventListener('keydown', onKey, { capture: true });
}

/** What was typed so far. The keys that follow go where the focus is. */
export function takeTyped(): { text: string; entered: boolean } {
  const taken = { text: typed, entered };
  dropTyped();
  return taken;
}

export function dropTyped(): void {
  stop?.();
  stop = null;
  typed = '';
  entered = false;
}
