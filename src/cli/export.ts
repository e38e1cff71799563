import { open } from 'node:fs/promises'
import { Command } from 'commander'
import { exportContent } from '../content/index.ts'
import { operatorAct, recordAct } from '../database/index.ts'
import { print } from './command.ts'
import { withDatabase } from './with-database.ts'

export const exportCommand = new Command('export')
  .description('write everything as JSON Lines, which `import` reads')
  .argument('[file]', 'default: standard output')
  .option('--json', 'print the report as JSON; with a file only, since the content is JSON already')
  .action(async (file: string | undefined, { json }: { readonly json?: boolean }) => {
    const destination = file === undefined ? process.stdout : (await open(file, 'w')).createWriteStream()
    const report = await withDatabase(async (db) => {
      await recordAct(db, operatorAct('export'))
      return exportContent(db, destination)
    })
    const text = `Exported ${report.articles} articles, ${report.users} users and ${report.tags} tags.`
    if (file === undefined) console.error(text)
    else print(report, { json, text })
  })
