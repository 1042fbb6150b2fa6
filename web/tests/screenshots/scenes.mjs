// What is to be seen on each picture, and which of the pictures are kept in the repository.
import { click, row } from '../e2e/steps.mjs';

const ready = (page) => page.waitForSelector('#files');
async function folder({ page, base }, id, view, key) {
  await page.goto(`${base}/files/${id}`);
  await ready(page);
  await page.waitForSelector('[role=grid], [role=tree], [data-empty]').catch(() => undefined);
  if (key) await page.keyboard.press(key);
  await page.waitForTimeout(150);
}
const details = (page, open) =>
  page.evaluate((value) => localStorage.setItem('holdfast.inspector', String(value)), open);

/** A finger opens at one tap, a mouse selects and Space looks. */
async function look({ page, phone }, name) {
  const handle = row(page, name).locator('[data-handle]').first();
  if (phone) return handle.tap();
  await handle.click();
  await page.keyboard.press('Space');
}

/** Runs an action of the view by its row in the menu. */
async function arrange({ page, phone }, action) {
  if (phone) await page.locator('header button').last().click();
  else await page.click('[data-arrange]');
  await page.locator(`[role^=menuitem][data-action=${action}]`).click();
}

/** Settings of the device that every picture begins with. */
export async function prepare(context) {
  await context.addInitScript(() => {
    if (!localStorage.getItem('holdfast.inspector')) localStorage.setItem('holdfast.inspector', 'false');
  });
}

export const scenes = {
  signin: {
    open: true,
    show: async ({ page, base }) => {
      await page.goto(`${base}/signin`);
      await page.waitForSelector('input[name=username]');
      await page.evaluate(() => document.activeElement?.blur());
    },
  },
  list: {
    show: async (env) => {
      await details(env.page, env.width > 1100);
      await folder(env, env.files.root, 'list', 'Control+1');
      await row(env.page, 'tide.rs').waitFor();
      if (!env.phone) {
        await click(env.page, 'Harbour survey.pdf');
        await click(env.page, 'Coastline.jpg');
        await env.page.waitForTimeout(400);
      }
    },
    leave: ({ page }) => details(page, false),
  },
  grid: {
    show: async (env) => {
      await folder(env, env.files.photos, 'grid', 'Control+2');
      await row(env.page, 'August.jpg').waitFor();
      await env.page.waitForTimeout(700);
    },
  },
  'list-groups': {
    show: async (env) => {
      await folder(env, env.files.root, 'list', 'Control+1');
      await env.page.evaluate(() => document.querySelector('#files')?.focus());
      await arrange(env, 'group-kind');
    },
    leave: (env) => arrange(env, 'group-none'),
  },
  columns: {
    show: async (env) => {
      await folder(env, env.files.autumn, 'columns', 'Control+1');
      await env.page.keyboard.press('Control+3');
      await env.page.waitForSelector('[data-column=active]');
      await env.page.keyboard.press('Home');
      await env.page.keyboard.press('ArrowDown');
      await env.page.waitForTimeout(300);
    },
    leave: ({ page }) => page.keyboard.press('Control+1'),
  },
  'columns-picture': {
    show: async (env) => {
      await folder(env, env.files.photos, 'columns', 'Control+1');
      await env.page.keyboard.press('Control+3');
      await env.page.waitForSelector('[data-column=active]');
      await env.page.keyboard.press('Home');
      await env.page.keyboard.press('ArrowDown');
      await env.page.keyboard.press('ArrowDown');
      await env.page.waitForTimeout(500);
    },
    leave: ({ page }) => page.keyboard.press('Control+2'),
  },
  gallery: {
    show: async (env) => {
      await folder(env, env.files.photos, 'gallery', 'Control+4');
      await env.page.waitForSelector('#files [data-name]');
      await env.page.focus('#files');
      for (let at = 0; at < 5; at += 1) await env.page.keyboard.press('ArrowRight');
      await env.page.waitForTimeout(700);
    },
    leave: ({ page }) => page.keyboard.press('Control+2'),
  },
  'arrange-menu': {
    show: async (env) => {
      await folder(env, env.files.root, 'list', 'Control+1');
      if (env.phone) await env.page.locator('header button').last().click();
      else await env.page.click('[data-arrange]');
      await env.page.waitForSelector('[role=menu]');
    },
    leave: ({ page }) => page.keyboard.press('Escape'),
  },
  'quick-look-picture': {
    show: async (env) => {
      await folder(env, env.files.photos, 'grid', 'Control+2');
      await look(env, 'Breakwater.jpg');
      await env.page.waitForSelector('[role=dialog] img');
      await env.page.waitForTimeout(300);
    },
    leave: ({ page }) => page.keyboard.press('Escape'),
  },
  'quick-look-text': {
    show: async (env) => {
      await folder(env, env.files.root, 'list', 'Control+1');
      await look(env, 'Field notes.md');
      await env.page.waitForSelector('[role=dialog] .markdown h1');
    },
    leave: ({ page }) => page.keyboard.press('Escape'),
  },
  menu: {
    show: async (env) => {
      await folder(env, env.files.root, 'list', 'Control+1');
      await row(env.page, 'Field notes.md').locator('[data-handle]').first().click({ button: 'right' });
      await env.page.waitForSelector('[role=menu]');
    },
    leave: ({ page }) => page.keyboard.press('Escape'),
  },
  palette: {
    show: async (env) => {
      await folder(env, env.files.root, 'list', 'Control+1');
      await env.page.keyboard.press('Control+k');
      await env.page.waitForSelector('[role=combobox]');
      await env.page.keyboard.type('st');
      await env.page.waitForSelector('[role=option]');
    },
    leave: ({ page }) => page.keyboard.press('Escape'),
  },
  empty: { show: (env) => folder(env, env.files.empty, 'list', 'Control+1') },
  settings: {
    show: async ({ page, base }) => {
      await page.goto(`${base}/settings`);
      await page.waitForSelector('section ul li');
    },
  },
  servers: {
    show: async ({ page, base }) => {
      await page.goto(`${base}/admin/servers`);
      await page.waitForSelector('main ul li');
    },
  },
  components: {
    open: true,
    show: async ({ page, base }) => {
      await page.goto(`${base}/ui`);
      await page.waitForSelector('main section');
    },
  },
};

/** The pictures in `docs/screenshots`. */
export const chosen = ['list-light-en-1440', 'grid-dark-en-1440'];
