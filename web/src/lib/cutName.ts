// A name that does not fit on its line, cut in its middle: what tells two names apart, a copy, a version, a date, the kind of
// file, is often at their end.
import { stemLength } from './names';

const graphemes = new Intl.Segmenter();
/** Letters that run from right to left: put together from two ends they would stand in the wrong order. */
const runsLeft = /[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]/;
const inWord = /^[\p{L}\p{N}\p{M}]/u;
/** A word of which no more than seven letters are there. */
const wordEnd = /(?<![\p{L}\p{N}\p{M}])[\p{L}\p{N}\p{M}]{1,7}$/u;
/** The end takes no more of the line than this: how a name begins is what people look for first. */
const endShare = 2 / 3;

/** The last place no further than `at` that does not cut a letter from its accent or an emoji in two. */
const between = (name: string, at: number) =>
  at >= name.length ? name.length : graphemes.segment(name).containing(at)!.index;

/** Where the end may begin, the best first. */
function ends(name: string): number[] {
  const stem = stemLength(name);
  const ending = name.length - stem;
  const letters = between(name, Math.max(0, name.length - (ending > 0 && ending <= 8 ? ending + 4 : 8)));
  const begun = inWord.test(name.slice(letters)) ? wordEnd.exec(name.slice(0, letters))?.[0].length : 0;
  return [letters - (begun ?? 0), letters, stem];
}

/**
 * What is seen of a name on a line that is too short for it: as much of its beginning as fits, `…`, and its ending with the
 * word before it, or only the last letters of that word. Null where it is to be cut at its end.
 */
export function cutName(name: string, width: number, widthOf: (text: string) => number): string | null {
  if (runsLeft.test(name)) return null;
  for (const at of ends(name)) {
    const end = `…${name.slice(at).trimStart()}`;
    if (at === 0 || at === name.length || widthOf(end) > width * endShare) continue;
    const begun = (length: number) => name.slice(0, between(name, length)).replace(/[\s.,;:–—-]+$/, '') + end;
    let [fits, tooLong] = [0, at];
    while (tooLong - fits > 1) {
      const middle = (fits + tooLong) >> 1;
      if (widthOf(begun(middle)) <= width) fits = middle;
      else tooLong = middle;
    }
    return begun(fits);
  }
  return null;
}
