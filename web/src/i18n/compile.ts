// What our texts may hold: `{name}` for a value, `{'@'}` for a sign as it is, and ` | ` between the forms for numbers. The
// library's own compiler knows much more, and weighs more than all the texts.
import type { MessageContext, MessageFunction } from 'vue-i18n';
import { formatNumber } from '@/lib/format';

type Piece = string | { name: string };

const slot = /\{(?:'([^']*)'|(\w+))\}/g;

function parse(form: string): Piece[] {
  const pieces: Piece[] = [];
  let end = 0;
  for (const found of form.matchAll(slot)) {
    pieces.push(form.slice(end, found.index), found[2] === undefined ? (found[1] ?? '') : { name: found[2] });
    end = found.index + found[0].length;
  }
  return [...pieces, form.slice(end)];
}

/** A value that is not there leaves no trace, and numbers are written as the language of the page does: 12,000. */
const shown = (value: unknown) =>
  typeof value === 'number'
    ? formatNumber(value, document.documentElement.lang || 'en')
    : typeof value === 'string'
      ? value
      : '';

export function compileText(text: unknown): MessageFunction<string> {
  const forms = String(text)
    .split(/\s*\|\s*/)
    .map(parse);
  return (context: MessageContext<string>) => {
    const form = forms.length > 1 ? (context.plural(forms as unknown as string[]) as unknown as Piece[]) : forms[0]!;
    return form.map((piece) => (typeof piece === 'string' ? piece : shown(context.named(piece.name)))).join('');
  };
}
