import { createWriteStream } from 'node:fs'
import { Command } from 'commander'
import { exportContent } from '../content/index.ts'
import { withDatabase } from './with-database.ts'

export const exportCommand = new Command('export')
  .description('write everything as JSON Lines, which `import` reads')
  .argument('[file]', 'default: standard output')
  .action(async (file: string | undefined) => {
    const destination = file === undefined ? process.stdout : createWriteStream(file)
    const report = await withDatabase((db) => exportContent(db, destination))
    console.error(`Exported ${report.articles} articles, ${report.users} users and ${report.tags} tags.`)
  })
