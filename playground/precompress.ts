import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { brotliCompress, constants } from 'node:zlib'
import type { Plugin } from 'vite'

const compress = promisify(brotliCompress)

/** Writes a `.br` file beside every script, style sheet and font, so that the server need not compress them. */
export function precompress(): Plugin {
  return {
    name: 'stet:precompress',
    async writeBundle({ dir }) {
      const assets = join(dir ?? '.', 'assets')
      for (const name of await readdir(assets)) {
        if (!/\.(js|css|ttf)$/.test(name)) continue
        const bytes = await readFile(join(assets, name))
        await writeFile(
          join(assets, `${name}.br`),
          await compress(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 6 } }),
        )
      }
    },
  }
}
