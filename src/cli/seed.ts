import { Command } from 'commander'
import { seedContent } from '../content/index.ts'
import { parseCount, print, withProgress } from './command.ts'
import { withDatabase } from './with-database.ts'

interface SeedCommandOptions {
  readonly articles: number
  readonly users?: number
  readonly tags?: number
  readonly json?: boolean
}

export const seedCommand = new Command('seed')
  .description('fill the database with made-up content; the same numbers always make the same content')
  .requiredOption('--articles <number>', 'how many articles', parseCount)
  .option('--users <number>', 'how many users', parseCount)
  .option('--tags <number>', 'how many tags', parseCount)
  .option('--json', 'print the result as JSON')
  .action(async ({ json, ...options }: SeedCommandOptions) => {
    const report = await withDatabase((db) =>
      withProgress('Seeding', (onProgress) => seedContent(db, { ...options, onProgress })),
    )
    print(report, { json, text: `Added ${report.articles} articles, ${report.users} users and ${report.tags} tags.` })
  })
