// The colours of the design can be read: every pair that meets on a page has the contrast of WCAG AA, in both themes,
// computed from the tokens themselves; and no colour is written anywhere else.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

const src = join(import.meta.dirname, '../../src');
const css = readFileSync(join(src, 'styles/tokens.css'), 'utf8').replaceAll(/\/\*[\s\S]*?\*\//g, '');

type Rgb = [number, number, number];
interface Colour {
  rgb: Rgb;
  alpha: number;
}

function declarations(selector: string): Map<string, string> {
  const start = css.indexOf(`${selector} {`);
  if (start < 0) throw new Error(`tokens.css has no ${selector}`);
  const body = css.slice(css.indexOf('{', start) + 1, css.indexOf('}', start));
  return new Map([...body.matchAll(/(--[\w-]+):\s*([^;]+);/g)].map(([, name, value]) => [name!, value!.trim()]));
}
const light = declarations(':root');
const themes = { light, dark: new Map([...light, ...declarations(":root[data-theme='dark']")]) };

/** Linear sRGB of an OKLCH colour, as CSS Color 4 defines it; what lies outside the gamut is cut off. */
function oklch(lightness: number, chroma: number, hue: number): Rgb {
  const a = chroma * Math.cos((hue * Math.PI) / 180);
  const b = chroma * Math.sin((hue * Math.PI) / 180);
  const l = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3;
  const m = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3;
  const s = (lightness - 0.0894841775 * a - 1.291485548 * b) ** 3;
  return [
    4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s,
    -1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s,
    -0.0041960863 * l - 0.7034186147 * m + 1.707614701 * s,
  ].map((value) => Math.min(1, Math.max(0, value))) as Rgb;
}
const encode = (value: number) => (value <= 0.0031308 ? value * 12.92 : 1.055 * value ** (1 / 2.4) - 0.055);
const decode = (value: number) => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4);

function colourOf(theme: ReadonlyMap<string, string>, name: string): Colour {
  const resolve = (text: string): string =>
    text.replaceAll(/var\((--[\w-]+)\)/g, (_, inner: string) => resolve(theme.get(inner) ?? ''));
  const value = resolve(theme.get(name) ?? '');
  const found = /^oklch\(([\d.]+)% ([\d.]+) ([\d.]+)(?: \/ ([\d.]+)%)?\)$/.exec(value);
  if (!found) throw new Error(`${name} is no colour this test can read: ${value}`);
  const [lightness, chroma, hue, alpha] = found.slice(1).map((part) => (part === undefined ? 100 : Number(part)));
  return { rgb: oklch(lightness! / 100, chroma!, hue!), alpha: alpha! / 100 };
}

/** Layers are blended as browsers do it, in encoded sRGB. */
function over(top: Colour, below: Rgb): Rgb {
  return below.map((value, at) => decode(encode(top.rgb[at]!) * top.alpha + encode(value) * (1 - top.alpha))) as Rgb;
}
const luminance = ([r, g, b]: Rgb) => 0.2126 * r + 0.7152 * g + 0.0722 * b;
function contrast(a: Rgb, b: Rgb): number {
  const [high, low] = [luminance(a), luminance(b)].sort((x, y) => y - x);
  return (high! + 0.05) / (low! + 0.05);
}

/** What text stands on: surfaces, and what a hover or a press makes of them. */
const surfaces = ['canvas', 'pane', 'sunken', 'raised'];
const text: [name: string, on: string[]][] = [
  ['ink', [...surfaces, 'accent-soft']],
  ['ink-2', [...surfaces, 'accent-soft']],
  ['ink-3', ['pane', 'sunken', 'raised']],
  ['accent-text', [...surfaces, 'accent-soft']],
  ['success-text', surfaces],
  ['danger-text', surfaces],
  ['print', ['paper']],
  ['on-accent', ['accent', 'accent-strong', 'danger-fill']],
  ['pane', ['ink']],
];

describe.each(Object.entries(themes))('%s', (_, theme) => {
  const flat = (name: string) => colourOf(theme, `--${name}`).rgb;

  it.each(text.flatMap(([name, on]) => on.map((surface) => [name, surface] as const)))(
    'text in %s on %s is read easily',
    (name, surface) => {
      expect(contrast(flat(name), flat(surface))).toBeGreaterThanOrEqual(4.5);
    },
  );

  it.each(['ink', 'ink-2'].flatMap((name) => surfaces.map((surface) => [name, surface] as const)))(
    'text in %s stays readable on %s under the pointer',
    (name, surface) => {
      for (const layer of ['--hover', '--press'])
        expect(contrast(flat(name), over(colourOf(theme, layer), flat(surface)))).toBeGreaterThanOrEqual(4.5);
    },
  );

  it('draws the focus, and the states, so that they are seen', () => {
    for (const surface of [...surfaces, 'accent-soft'])
      expect(contrast(flat('focus'), flat(surface)), surface).toBeGreaterThanOrEqual(3);
    for (const state of ['danger', 'success']) expect(contrast(flat(state), flat('pane')), state).toBeGreaterThan(2.5);
  });
});

it('knows black and white', () => {
  expect(contrast([0, 0, 0], [1, 1, 1])).toBeCloseTo(21);
  expect(
    oklch(1, 0, 0)
      .map(encode)
      .map((value) => Math.round(value * 255)),
  ).toEqual([255, 255, 255]);
  // oklch(62.8% .2577 29.23) is pure red.
  expect(
    oklch(0.628, 0.2577, 29.23)
      .map(encode)
      .map((value) => Math.round(value * 255)),
  ).toEqual([255, 0, 0]);
});

/** Every line of our sources, with where it stands. */
const lines = readdirSync(src, { recursive: true, encoding: 'utf8' })
  .filter((name) => /\.(?:vue|css|ts)$/.test(name) && name !== 'styles/tokens.css')
  .flatMap((name) =>
    readFileSync(join(src, name), 'utf8')
      .split('\n')
      .map((line, at) => ({ at: `${name}:${at + 1}: ${line.trim()}`, line })),
  );

const raw = /#[0-9a-f]{3,8}\b(?!['"]?\s*(?:,|\)|=>))|\b(?:rgb|hsl|hwb|lab|lch|oklab)a?\(|\boklch\(\s*[\d.]/i;
const palette =
  /\b(?:bg|text|border|fill|stroke|ring|outline|shadow|decoration)-(?:black|white|(?:slate|gray|zinc|neutral|stone|red|orange|amber|yellow|lime|green|emerald|teal|cyan|sky|blue|indigo|violet|purple|fuchsia|pink|rose)-\d+)\b/;
/** Colours by name: in brackets of a class, as an attribute of a drawing, or as a value of a style. */
const word =
  'black|white|gray|grey|silver|red|orange|yellow|green|teal|blue|navy|purple|violet|pink|brown|gold|crimson|tomato';
const named = new RegExp(
  `-\\[(?:${word})\\]|\\b(?:fill|stroke|color|stop-color|background)=["'](?:${word})["']|(?:^|[\\s;{"'])(?:color|background(?:-color)?|fill|stroke|border-color|outline-color)\\s*:\\s*['"]?(?:${word})\\b`,
  'i',
);
const isRaw = (line: string) => raw.test(line) || palette.test(line) || named.test(line);

it('writes colours in tokens.css and nowhere else', () => {
  expect(lines.filter(({ line }) => isRaw(line)).map(({ at }) => at)).toEqual([]);
});

it.each([
  '<p class="bg-[white]">',
  '<path d="" fill="black" />',
  '<p style="color: white">',
  ':style="{ background: \'red\' }"',
  '  border-color: tomato;',
  '<p class="text-red-500">',
  'color: #fff;',
])('knows the raw colour in %s', (line) => {
  expect(isRaw(line)).toBe(true);
});

it('names only colours that there are', () => {
  const theme = readFileSync(join(src, 'styles/app.css'), 'utf8');
  const tokens = new Set([...theme.matchAll(/^\s*--color-([\w-]+):/gm)].map(([, name]) => name!));
  const families = [...new Set([...tokens].map((name) => name.split('-')[0]!))].join('|');
  const used = new RegExp(
    `\\b(?:bg|text|border(?:-[xytbse])?|fill|stroke|ring|outline|decoration|divide|accent)-((?:${families})(?:-[a-z0-9]+)*)\\b`,
    'g',
  );
  const unknown = lines.flatMap(({ line, at }) =>
    [...line.matchAll(used)].filter(([, name]) => !tokens.has(name!)).map(([whole]) => `${whole} in ${at}`),
  );
  expect(unknown).toEqual([]);
  for (const [, value] of theme.matchAll(/--color-[\w-]+: var\((--[\w-]+)\);/g))
    expect([...light.keys()]).toContain(value);
});
