import { readFileSync } from 'node:fs'

/** The flags of V8 that the system starts `stet` with: they stand in the first line of its source. */
export const V8_FLAGS: readonly string[] =
  readFileSync(new URL('../../src/cli/stet.ts', import.meta.url), 'utf8')
    .split('\n', 1)[0]
    ?.match(/--\S+/g) ?? []
