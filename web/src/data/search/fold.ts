// How texts are compared where people look for them: without regard to case and diacritics, ё being е. Only й keeps its
// breve, as it is a letter of its own and not an и with something on it.

const plain = /^[ -~]*$/;

export function fold(text: string): string {
  const lower = text.toLowerCase();
  if (plain.test(lower)) return lower;
  return lower
    .normalize('NFKD')
    .replace(/и\u0306/g, 'й')
    .replace(/\p{Mn}+/gu, '')
    .replace(/ß/g, 'ss');
}

/** The same with its numbers padded, so that plain comparison puts "scan 2" before "scan 10". */
export const sortKey = (folded: string) => folded.replace(/\d+/g, (digits) => digits.padStart(12, '0'));
