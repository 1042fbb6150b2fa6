// How the client is built and tested; `/api` goes to a server on the developer's machine.
import { fileURLToPath } from 'node:url';
import tailwind from '@tailwindcss/vite';
import vue from '@vitejs/plugin-vue';
import { VitePWA } from 'vite-plugin-pwa';
import { defineConfig } from 'vitest/config';

const server = process.env.HOLDFAST_SERVER ?? 'http://127.0.0.1:8080';
const proxy = { '/api': { target: server, changeOrigin: false, ws: true } };

/** Libraries that hand out all they have by one file: what of them is needed at the start cannot be told from that file. */
const barrels = /node_modules\/(?:@lucide|reka-ui)\//;

interface Graph {
  getModuleInfo(id: string): { importedIds: readonly string[] } | null;
}
let first: Set<string> | null = null;
/** The modules that the start needs, which go together: one file is smaller than the many that sharing would make of it. */
function startChunk(id: string, graph: Graph): string | null {
  if (!first) {
    first = new Set();
    const queue = [fileURLToPath(new URL('./src/main.ts', import.meta.url))];
    for (let at = queue.pop(); at !== undefined; at = queue.pop()) {
      if (first.has(at) || barrels.test(at)) continue;
      first.add(at);
      queue.push(...(graph.getModuleInfo(at)?.importedIds ?? []));
    }
  }
  return first.has(id) ? 'start' : null;
}

export default defineConfig({
  plugins: [
    vue(),
    tailwind(),
    VitePWA({
      strategies: 'injectManifest',
      srcDir: 'src',
      filename: 'sw.ts',
      injectRegister: false,
      manifest: {
        name: 'Holdfast',
        short_name: 'Holdfast',
        description: 'Your files, kept in six places.',
        display: 'standalone',
        start_url: '/',
        background_color: '#f0f1f4',
        theme_color: '#f0f1f4',
        icons: [{ src: '/icon.svg', sizes: 'any', type: 'image/svg+xml', purpose: 'any' }],
      },
      injectManifest: {
        // What a start without connection needs. Heavy lazy pieces (PDF, highlighting) are kept on first use instead.
        globPatterns: [
          'index.html',
          'theme-boot.js',
          'icon.svg',
          'assets/*.{js,css}',
          'assets/onest-{latin,cyrillic}-wght*.woff2',
        ],
        globIgnores: ['assets/pdf*', 'assets/Pdf*', 'assets/highlight*', 'assets/UiDemo*'],
      },
    }),
  ],
  resolve: {
    alias: {
      '@': fileURLToPath(new URL('./src', import.meta.url)),
      // The same library without the parts for browsers that nothing else here runs in.
      dexie: fileURLToPath(new URL('./node_modules/dexie/dist/modern/dexie.mjs', import.meta.url)),
      '#openapi': fileURLToPath(new URL('./openapi/schema.ts', import.meta.url)),
    },
  },
  // Parts of vue-i18n that are not used here.
  define: {
    __VUE_I18N_LEGACY_API__: false,
    __VUE_I18N_FULL_INSTALL__: false,
    __INTLIFY_PROD_DEVTOOLS__: false,
    __INTLIFY_DROP_MESSAGE_COMPILER__: true,
  },
  build: {
    target: 'es2022',
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
    reportCompressedSize: false,
    rolldownOptions: { output: { codeSplitting: { groups: [{ name: startChunk }] } } },
  },
  server: { proxy },
  preview: { proxy },
  worker: { format: 'es' },
  test: {
    environment: 'happy-dom',
    include: ['tests/unit/**/*.test.ts'],
    setupFiles: ['tests/unit/setup.ts'],
    restoreMocks: true,
  },
});
