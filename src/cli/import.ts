import { Command, Option } from 'commander'
import { type Counts, type ImportProblem, importContent } from '../content/index.ts'
import { Failure, print, withProgress } from './command.ts'
import { withDatabase } from './with-database.ts'

export const importCommand = new Command('import')
  .description(
    'bring in a folder of Markdown files with front matter (Hugo, Jekyll, Astro, Eleventy, Zola, Next), or JSON Lines that `export` wrote',
  )
  .argument('<path>', 'a folder, a .md file or a .jsonl file')
  .option('--author <username>', 'the author of files that name none')
  .addOption(
    new Option('--slug <from>', 'what slugs are made from; with `name`, from the path if several files have the name')
      .choices(['name', 'path'])
      .default('name'),
  )
  .option('--json', 'print the report as JSON')
  .action(async (path: string, { author, slug, json }: ImportFlags) => {
    const report = await withDatabase((db) =>
      withProgress('Importing', (onProgress) =>
        importContent(db, path, { onProgress, slugsFromPath: slug === 'path', ...(author && { author }) }),
      ),
    )
    const {
      articles,
      users,
      tags,
      problems,
      problemCount,
      heldBack,
      heldBackCount,
      notes,
      noteCount,
      notRead,
      notReadCount,
    } = report
    if (!json) {
      list(notRead, notReadCount)
      list(notes, noteCount)
      list(heldBack, heldBackCount)
      list(problems, problemCount)
    }
    const text = [
      `files:    ${report.files}, ${notReadCount} of them not read`,
      `articles: ${counts(articles)}`,
      `users:    ${counts(users)}`,
      `tags:     ${counts(tags)}`,
      ...(heldBackCount > 0 ? [`${heldBackCount} held back, as drafts: see above.`] : []),
      problemCount === 0 ? 'No problems.' : `${problemCount} left out: see above.`,
    ].join('\n')
    print(report, { json, text })
    if (problemCount > 0) throw new Failure()
  })

interface ImportFlags {
  readonly author?: string
  readonly slug: 'name' | 'path'
  readonly json?: boolean
}

const counts = ({ created, updated, unchanged }: Counts): string =>
  `${created} created, ${updated} updated, ${unchanged} unchanged`

function list(problems: readonly ImportProblem[], count: number): void {
  for (const { file, line, message } of problems) console.error(`${file}:${line}: ${message}`)
  if (count > problems.length) console.error(`… and ${count - problems.length} more.`)
}
