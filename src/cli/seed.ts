import { Command } from 'commander'
import { seedContent } from '../content/index.ts'
import { Interrupted, parseCount, print, untilStopped } from './command.ts'
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
    const { result, stopped } = await withDatabase((db) =>
      untilStopped('Seeding', (watched) => seedContent(db, { ...options, ...watched })),
    )
    const text = `Added ${result.articles} articles, ${result.users} users and ${result.tags} tags.`
    print({ ...result, stopped }, { json, text })
    if (stopped) throw new Interrupted(stopped)
  })
