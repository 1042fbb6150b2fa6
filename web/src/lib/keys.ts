// Shortcuts: `mod+shift+k` in one spelling, `mod` being Command on a Mac and Control elsewhere.

export const isMac = /mac|iphone|ipad/i.test(navigator.platform);

const named: Record<string, string> = {
  enter: '↵',
  escape: 'Esc',
  delete: 'Delete',
  backspace: '⌫',
  arrowup: '↑',
  arrowdown: '↓',
  arrowleft: '←',
  arrowright: '→',
};
/** What is printed on the long key differs from language to language; the others keep their names. */
const longKey: Record<string, string> = { en: 'Space', ru: 'Пробел' };

/** As it stands in menus: ⌘⇧K on a Mac, Ctrl+Shift+K elsewhere. */
export function showShortcut(shortcut: string, language: string = document.documentElement.lang): string {
  const parts = shortcut.split('+').map((part) => {
    if (part === 'mod') return isMac ? '⌘' : 'Ctrl';
    if (part === 'shift') return isMac ? '⇧' : 'Shift';
    if (part === 'alt') return isMac ? '⌥' : 'Alt';
    if (part === 'space') return longKey[language] ?? longKey.en;
    return named[part] ?? part.toUpperCase();
  });
  return parts.join(isMac ? '' : '+');
}

/** Whether a key press is the shortcut. Letters go by their place on the keyboard, so that they work in every layout. */
export function matches(event: KeyboardEvent, shortcut: string): boolean {
  const parts = shortcut.split('+');
  const key = parts.pop() ?? '';
  const wanted = { mod: parts.includes('mod'), shift: parts.includes('shift'), alt: parts.includes('alt') };
  const mod = isMac ? event.metaKey : event.ctrlKey;
  // Some keyboards need Shift for it.
  if (key === '/' && event.key === '/') return !mod && !event.altKey && !wanted.mod;
  if (mod !== wanted.mod || event.shiftKey !== wanted.shift || event.altKey !== wanted.alt) return false;
  if (/^[a-z]$/.test(key)) return event.code === `Key${key.toUpperCase()}`;
  return event.key.toLowerCase() === (key === 'space' ? ' ' : key);
}

/** Whether keys typed now belong to a text. */
export function isTyping(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLElement && (target.isContentEditable || /^(?:INPUT|TEXTAREA|SELECT)$/.test(target.tagName))
  );
}
