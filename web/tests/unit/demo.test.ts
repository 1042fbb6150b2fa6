// The page of components shows every component there is: what is not there is looked at by nobody.
import { readFileSync, readdirSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { expect, it } from 'vitest';

const ui = join(import.meta.dirname, '../../src/ui');
const app = readFileSync(join(ui, '../app/App.vue'), 'utf8');
/** There is one of these on every page, put there by the page's frame; the demo sets them off. */
const hosts = { 'LiveRegion.vue': './announce', 'Toaster.vue': './toasts', 'TooltipHost.vue': './tooltip' };

/** What a file of `ui` uses of `ui`, itself included, also what is fetched later. */
function reach(file: string, seen: Set<string>): Set<string> {
  if (seen.has(file)) return seen;
  seen.add(file);
  const text = readFileSync(file, 'utf8');
  for (const [, path] of text.matchAll(/(?:from|import\()\s*'(\.{1,2}\/[^']+)'/g)) {
    const target = join(dirname(file), path!);
    reach(/\.\w+$/.test(target) ? target : `${target}.ts`, seen);
  }
  return seen;
}

it('shows every component', () => {
  const shown = [...reach(join(ui, 'demo/UiDemo.vue'), new Set())].map((file) => relative(ui, file));
  const all = readdirSync(ui, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.vue'));
  expect(all.length).toBeGreaterThan(30);
  const missing = all.filter((name) => !shown.includes(name));
  expect(missing.sort()).toEqual(Object.keys(hosts));
  for (const [name, module] of Object.entries(hosts)) {
    expect(app, name).toContain(`@/ui/${name}`);
    expect(shown).toContain(`${module.slice(2)}.ts`);
  }
});

it('knows nothing of the product', () => {
  for (const name of readdirSync(ui, { recursive: true, encoding: 'utf8' }).filter((one) => /\.(?:vue|ts)$/.test(one)))
    expect(readFileSync(join(ui, name), 'utf8'), name).not.toMatch(/['"]@\/(?!lib\/|styles\/)/);
});
