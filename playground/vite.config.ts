import { defineConfig } from 'vite'
import { precompress } from './precompress.ts'

/** Builds the playground into `dist/playground`, from where `src/http/playground.ts` serves it. */
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
    // React libraries mark their files "use client", which means nothing here.
    rolldownOptions: { checks: { moduleLevelDirective: false } },
  },
  worker: { format: 'es' },
})
