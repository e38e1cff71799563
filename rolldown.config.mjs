import { codeFingerprints } from './scripts/code-fingerprints.mjs'

/**
 * Bundles `src` and what it uses into few files, flat in `dist`: Node takes longer to find and open two thousand files than to
 * run what is in them.
 */
export default {
  input: {
    stet: 'src/cli/stet.ts',
    'start-node': 'src/app/start-node.ts',
    'rendering-thread-entry': 'src/domain/articles/rendering-thread-entry.ts',
    cache: 'src/cache/index.ts',
    'cache-contract': 'src/cache/remote/remote-tier.contract.ts',
    invalidation: 'src/invalidation/index.ts',
  },
  platform: 'node',
  external: [
    // They load files of their own; and pg is what PGlite uses, too.
    /^pino($|\/)/,
    /^@electric-sql\/pglite($|\/)/,
    'pg',
  ],
  plugins: [
    {
      name: 'code-fingerprints',
      generateBundle() {
        this.emitFile({ type: 'asset', fileName: 'code.json', source: JSON.stringify(codeFingerprints(), null, 2) })
      },
    },
  ],
  output: { dir: 'dist', chunkFileNames: '[name].js', sourcemap: true },
}
