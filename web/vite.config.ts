// How the drive is built and tested; `/api` goes to a server on the developer's machine.
import { VitePWA } from 'vite-plugin-pwa';
import type { Plugin } from 'vite';
import { defineConfig } from 'vitest/config';
import { base, startChunk } from './vite.base.ts';

const server = process.env.HOLDFAST_SERVER ?? 'http://127.0.0.1:8080';
const proxy = { '/api': { target: server, changeOrigin: false, ws: true } };

/** While developing, addresses of links lead to their own page, as with the real server. */
const sharePage: Plugin = {
  name: 'share-page',
  configureServer({ middlewares }) {
    middlewares.use((request, _, next) => {
      if (request.url?.startsWith('/s/')) request.url = '/share.html';
      next();
    });
  },
};

export default defineConfig({
  ...base,
  plugins: [
    ...base.plugins,
    sharePage,
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
  build: {
    ...base.build,
    rolldownOptions: {
      output: { codeSplitting: { groups: [{ debugName: 'start', name: startChunk('start', './src/main.ts') }] } },
    },
  },
  server: { proxy },
  preview: { proxy },
  test: {
    environment: 'happy-dom',
    include: ['tests/unit/**/*.test.ts'],
    setupFiles: ['tests/unit/setup.ts'],
    restoreMocks: true,
    // A bound for what hangs: how fast a test is says more about the machine.
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
