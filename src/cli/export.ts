import type { Writable } from 'node:stream'
import { Command } from 'commander'
import { exportContent } from '../content/index.ts'
import { operatorAct, recordAct } from '../database/index.ts'
import { print } from './command.ts'
import { replaceFile } from './replace-file.ts'
import { withDatabase } from './with-database.ts'

export const exportCommand = new Command('export')
  .description('write everything as JSON Lines, which `import` reads')
  .argument('[file]', 'default: standard output. A file that is there is replaced at the end, as a whole')
  .option('--json', 'print the report as JSON; with a file only, since the content is JSON already')
  .action(async (file: string | undefined, { json }: { readonly json?: boolean }) => {
    const report = await withDatabase((db) => {
      const write = async (destination: Writable) => {
        await recordAct(db, operatorAct('export'))
        return exportContent(db, destination)
      }
      return file === undefined ? write(process.stdout) : replaceFile(file, write)
    })
    const text = `Exported ${report.articles} articles, ${report.users} users and ${report.tags} tags.`
    if (file === undefined) console.error(text)
    else print(report, { json, text })
  })
