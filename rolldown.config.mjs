/**
 * Bundles `src` and what it uses into few files, flat in `dist`: Node takes longer to find and open two thousand files than to
 * run what is in them.
 */
export default {
  input: {
    stet: 'src/cli/stet.ts',
    main: 'src/main.ts',
    cache: 'src/cache/index.ts',
    invalidation: 'src/invalidation/index.ts',
  },
  platform: 'node',
  external: [
    // Whoever uses `stet/cache` or `stet/invalidation` hands in clients of their own.
    'ioredis',
    'pg',
    // They load files of their own.
    /^pino($|\/)/,
    /^@electric-sql\/pglite($|\/)/,
  ],
  output: { dir: 'dist', chunkFileNames: '[name].js', sourcemap: true },
}
