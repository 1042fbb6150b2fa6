// How the page of links is built: beside the drive, after it, and sharing no file of script with it, so that neither makes
// the other heavier. What is the same (fonts, PDF) has the same name and is there once.
import { defineConfig } from 'vite';
import { base, startChunk } from './vite.base.ts';

export default defineConfig({
  ...base,
  build: {
    ...base.build,
    emptyOutDir: false,
    copyPublicDir: false,
    rolldownOptions: {
      input: 'share.html',
      output: {
        codeSplitting: { groups: [{ debugName: 'start', name: startChunk('share', './src/features/public/main.ts') }] },
      },
    },
  },
});
