// Names cut in their middle.
import { describe, expect, it } from 'vitest';
import { cutName } from '@/lib/cutName';

const graphemes = new Intl.Segmenter();
/** Each letter as wide as one. */
const widthOf = (text: string) => [...graphemes.segment(text)].length;

describe('a name that does not fit', () => {
  it.each([
    ['Договор аренды, подписан v3.pdf', 20, 'Договор аре…н v3.pdf'],
    ['Протокол собрания, черновик.odt', 24, 'Протокол со…черновик.odt'],
    ['Протокол собрания, черновик.odt', 16, 'Протоко…овик.odt'],
    ['Долговременные наблюдения', 22, 'Долговремен…наблюдения'],
    ['Долговременные наблюдения', 17, 'Долгов…наблюдения'],
    ['Autumn survey – 2026.tar.gz', 23, 'Autumn surv…2026.tar.gz'],
    ['Autumn – survey of the bay.md', 14, 'Autumn…bay.md'],
    // Nothing is left of the name where its end takes the line.
    ['Autumn survey.tar.gz', 8, null],
    ['notes.something like an ending', 16, 'notes…an ending'],
    // An accent stays with its letter, and a family together.
    ['decomposed lette\u0301rs mu\u0301n.o', 12, 'decomp…mu\u0301n.o'],
    ['a\u0301a\u0301a\u0301a\u0301a\u0301a\u0301 1234.md', 13, 'a\u0301a\u0301a\u0301a\u0301a\u0301…1234.md'],
    ['holidays with all 👨‍👩‍👧‍👦123.jpg', 16, 'holiday…👨‍👩‍👧‍👦123.jpg'],
    ['תמונות מהחופשה האחרונה.jpg', 16, null],
  ])('%s in %d', (name, width, wanted) => {
    const cut = cutName(name, width, widthOf);
    expect(cut).toBe(wanted);
    if (cut !== null) expect(widthOf(cut)).toBeLessThanOrEqual(width);
  });
});
