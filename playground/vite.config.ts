import { defineConfig } from 'vite'
import { precompress } from './precompress.ts'

/** Builds the playground into `dist/playground`. `src/http/playground.ts` serves it from there. */
export default defineConfig({
  root: import.meta.dirname,
  base: '/graphiql/',
  plugins: [precompress()],
  logLevel: 'warn',
  build: {
    outDir: '../dist/playground',
    emptyOutDir: true,
    target: 'es2022',
    chunkSizeWarningLimit: 4_000,
    // React libraries mark their files "use client", which has no meaning in a page.
    rolldownOptions: { checks: { moduleLevelDirective: false } },
  },
  worker: { format: 'es' },
})
