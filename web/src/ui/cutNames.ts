// Keeps names that do not fit cut in their middle, as wide as they may be.
import { cutName } from '@/lib/cutName';

let canvas: CanvasRenderingContext2D | null | undefined;

function fit(element: HTMLElement, width: number): void {
  canvas ??= document.createElement('canvas').getContext('2d');
  if (!canvas || width === 0) return;
  const { fontStyle, fontWeight, fontSize, fontFamily, letterSpacing } = getComputedStyle(element);
  canvas.font = `${fontStyle} ${fontWeight} ${fontSize} ${fontFamily}`;
  canvas.letterSpacing = letterSpacing === 'normal' ? '0px' : letterSpacing;
  const widthOf = (text: string) => canvas!.measureText(text).width;
  const name = element.textContent;
  // Widths are told in fractions of a pixel, which may be rounded down.
  const cut = widthOf(name) > width + 0.5 ? cutName(name, width, widthOf) : null;
  if (cut === null) delete element.dataset.cut;
  else element.dataset.cut = cut;
}

/** Told before the page is painted, so that nobody sees a name cut otherwise first. */
const sizes = new ResizeObserver((entries) => {
  for (const { target, contentRect } of entries) fit(target as HTMLElement, contentRect.width);
});
const all = new Set<HTMLElement>();
const fitAgain = (element: HTMLElement) => fit(element, element.getBoundingClientRect().width);
// Letters have other widths when their font has come.
if ('fonts' in document) document.fonts.addEventListener('loadingdone', () => all.forEach(fitAgain));

export const cutNames = {
  mounted(element: HTMLElement): void {
    all.add(element);
    sizes.observe(element);
  },
  updated: fitAgain,
  unmounted(element: HTMLElement): void {
    all.delete(element);
    sizes.unobserve(element);
  },
};
