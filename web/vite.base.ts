// What the two pages are built alike with: the drive (`vite.config.ts`) and the page of links (`vite.share.config.ts`).
import { fileURLToPath } from 'node:url';
import tailwind from '@tailwindcss/vite';
import vue from '@vitejs/plugin-vue';
import type { UserConfig } from 'vite';

const path = (name: string) => fileURLToPath(new URL(name, import.meta.url));

/** Libraries that hand out all they have by one file: what of them is needed at the start cannot be told from that file. */
const barrels = /node_modules\/(?:@lucide|reka-ui)\//;

interface Graph {
  getModuleInfo(id: string): { importedIds: readonly string[] } | null;
}

/** Puts the modules that the start needs together: one file is smaller than the many that sharing would make of it. */
export function startChunk(name: string, entry: string) {
  let first: Set<string> | null = null;
  return (id: string, graph: Graph): string | null => {
    if (!first) {
      first = new Set();
      const queue = [path(entry)];
      for (let at = queue.pop(); at !== undefined; at = queue.pop()) {
        if (first.has(at) || barrels.test(at)) continue;
        first.add(at);
        queue.push(...(graph.getModuleInfo(at)?.importedIds ?? []));
      }
    }
    return first.has(id) ? name : null;
  };
}

export const base = {
  plugins: [vue(), tailwind()],
  resolve: {
    alias: {
      '@': path('./src'),
      // The same library without the parts for browsers that nothing else here runs in.
      dexie: path('./node_modules/dexie/dist/modern/dexie.mjs'),
      '#openapi': path('./openapi/schema.ts'),
    },
  },
  // Parts of Vue and vue-i18n that are not used here.
  define: {
    __VUE_OPTIONS_API__: false,
    __VUE_I18N_LEGACY_API__: false,
    __VUE_I18N_FULL_INSTALL__: false,
    __INTLIFY_PROD_DEVTOOLS__: false,
    __INTLIFY_DROP_MESSAGE_COMPILER__: true,
  },
  build: { target: 'es2022', modulePreload: { polyfill: false }, assetsInlineLimit: 0, reportCompressedSize: false },
  worker: { format: 'es' },
} satisfies UserConfig;
