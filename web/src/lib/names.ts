// Names of files: their stem and ending, an order people expect, free names, and what the server would refuse.

/** Where the stem ends: before the last dot, unless the dot opens the name; `.tar.gz` and its like count as one ending. */
export function stemLength(name: string, kind: 'folder' | 'file' = 'file'): number {
  if (kind === 'folder') return name.length;
  const double = /\.tar\.[a-z0-9]{1,4}$/i.exec(name);
  if (double && double.index > 0) return double.index;
  const dot = name.lastIndexOf('.');
  return dot > 0 ? dot : name.length;
}

/** The ending without its dot, in lower case; empty where there is none. */
export function extension(name: string): string {
  const dot = name.lastIndexOf('.');
  return dot > 0 ? name.slice(dot + 1).toLowerCase() : '';
}

const collator = new Intl.Collator(undefined, { numeric: true, sensitivity: 'base' });

/** Natural order: "Scan 2" before "Scan 10"; equal names fall back to their code points, so that the order never jumps. */
export function compareNames(a: string, b: string): number {
  return collator.compare(a, b) || (a < b ? -1 : a > b ? 1 : 0);
}

/** `x.txt`, `x (2).txt`, `x (3).txt`…: the first that `taken` does not know. */
export function freeName(name: string, kind: 'folder' | 'file', taken: (name: string) => boolean): string {
  if (!taken(name)) return name;
  const cut = stemLength(name, kind);
  const stem = name.slice(0, cut).replace(/ \((\d{1,6})\)$/, '');
  const rest = name.slice(cut);
  for (let count = 2; ; count += 1) {
    const candidate = `${stem} (${count})${rest}`;
    if (!taken(candidate)) return candidate;
  }
}

/** `x (words).txt` of `x.txt`. */
export function withWords(name: string, words: string): string {
  const cut = stemLength(name);
  return `${name.slice(0, cut)} (${words})${name.slice(cut)}`;
}

export type NameTrouble = 'empty' | 'dots' | 'slash' | 'control' | 'long';

/** Why the server would refuse a name, or null. The limit of 255 bytes is the server's own. */
export function nameTrouble(name: string): NameTrouble | null {
  if (name.trim() === '') return 'empty';
  if (name === '.' || name === '..') return 'dots';
  if (name.includes('/')) return 'slash';
  for (const char of name) {
    const code = char.codePointAt(0) ?? 0;
    if (code < 32 || code === 127) return 'control';
  }
  return new TextEncoder().encode(name).length > 255 ? 'long' : null;
}
