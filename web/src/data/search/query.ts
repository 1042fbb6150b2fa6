// What a person typed, taken apart: words, "quoted words", operators with what they take, and `-` before what must not be.
// Nothing is an error: what is no operator is a word, and what an operator cannot read finds nothing.
import { fold } from './fold';
import { kindWords, operatorWords, spanWords, stateWords, type Operator } from './words';

export interface Token {
  /** Null for words. */
  op: Operator | null;
  value: string;
  not: boolean;
}

const opening: Record<string, string> = { '"': '"', '“': '”', '«': '»', '„': '“' };

/** Reads from a place of the text to the end of a quoted or bare value. */
function readValue(text: string, at: number): { value: string; end: number } {
  const close = opening[text[at] ?? ''];
  if (close !== undefined) {
    const end = text.indexOf(close, at + 1);
    return end < 0 ? { value: text.slice(at + 1), end: text.length } : { value: text.slice(at + 1, end), end: end + 1 };
  }
  let end = at;
  while (end < text.length && !/\s/.test(text[end]!)) end += 1;
  return { value: text.slice(at, end), end };
}

/** In the spelling that is printed, where the operator takes one of a few words. */
function canonical(op: Operator, value: string): string {
  const words = {
    kind: kindWords,
    is: stateWords,
    modified: spanWords,
    created: spanWords,
    before: spanWords,
    after: spanWords,
  };
  if (!(op in words)) return value.trim();
  const known: ReadonlyMap<string, string> = words[op as keyof typeof words];
  return value
    .split(',')
    .map((one) => known.get(fold(one.trim())) ?? one.trim())
    .join(',');
}

interface Placed {
  token: Token;
  from: number;
  to: number;
}

function* read(text: string): Generator<Placed> {
  let at = 0;
  while (at < text.length) {
    if (/\s/.test(text[at]!)) {
      at += 1;
      continue;
    }
    const from = at;
    const not = text[at] === '-' && at + 1 < text.length && !/\s/.test(text[at + 1]!);
    if (not) at += 1;
    const named = /^(\p{L}+):/u.exec(text.slice(at, at + 40));
    const op = named ? operatorWords.get(fold(named[1]!)) : undefined;
    const { value, end } = readValue(text, op ? at + named![0].length : at);
    at = end;
    if (op) yield { token: { op, value: canonical(op, value), not }, from, to: end };
    else if (value.trim() !== '') yield { token: { op: null, value: value.trim(), not }, from, to: end };
  }
}

export const parse = (text: string): Token[] => [...read(text)].map(({ token }) => token);

/**
 * The operators of a text, and the text without them. An operator at the end may still be typed: it counts when something
 * follows it, or when `ended` says that the typing is over.
 */
export function takeOperators(text: string, ended = false): { taken: Token[]; rest: string } {
  const taken: Token[] = [];
  let rest = '';
  let at = 0;
  for (const { token, from, to } of read(text)) {
    if (token.op === null || token.value === '' || (to === text.length && !ended)) continue;
    taken.push(token);
    rest += text.slice(at, from).trimEnd() === '' ? '' : `${text.slice(at, from).trimEnd()} `;
    at = to;
  }
  return taken.length === 0 ? { taken, rest: text } : { taken, rest: rest + text.slice(at).trimStart() };
}

export function printToken({ op, value, not }: Token): string {
  const bare =
    value !== '' && !/[\s"“”«»„]/.test(value) && (op !== null || (!value.startsWith('-') && !/^\p{L}+:/u.test(value)));
  const shown = bare ? value : `"${value.replaceAll('"', '')}"`;
  return `${not ? '-' : ''}${op ? `${op}:` : ''}${value === '' && op ? '' : shown}`;
}

export const print = (tokens: readonly Token[]) => tokens.map(printToken).join(' ');

export const sameToken = (a: Token, b: Token) => a.op === b.op && a.value === b.value && a.not === b.not;

/** Whether the search is about what was deleted, which only the server knows. */
export const isTrashed = (token: Token) => token.op === 'is' && token.value === 'trashed' && !token.not;
