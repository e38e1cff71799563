import { Command, Option } from 'commander'
import { type Counts, type ImportReport, importContent, type Outcome } from '../content/index.ts'
import { escapeUnseen } from '../kernel/visible.ts'
import { Failure, Interrupted, untilStopped } from './command.ts'
import { withDatabase } from './with-database.ts'

export const importCommand = new Command('import')
  .description(
    'bring in a folder of Markdown files with front matter (Hugo, Jekyll, Astro, Eleventy, Zola, Next), JSON Lines that `export` wrote, or a WordPress export',
  )
  .argument('<path>', 'a folder, a .md file, a .jsonl file or the .xml file of WordPress')
  .option('--author <username>', 'the author of files that name none')
  .addOption(
    new Option('--slug <from>', 'what slugs are made from; with `name`, from the path if several files have the name')
      .choices(['name', 'path'])
      .default('name'),
  )
  .option('--json', 'print a line of JSON for each file or record, then a summary')
  .action(async (path: string, { author, slug, json }: ImportFlags) => {
    const lists = new OutcomeLists()
    const { result: report, stopped } = await withDatabase((db) =>
      untilStopped('Importing', (watched) =>
        importContent(db, path, {
          ...watched,
          onOutcome: json ? (outcome) => console.log(JSON.stringify(outcome)) : (outcome) => lists.add(outcome),
          slugsFromPath: slug === 'path',
          ...(author && { author }),
        }),
      ),
    )
    if (json) {
      console.log(JSON.stringify({ summary: { ...report, stopped } }))
    } else {
      lists.print()
      console.log(summaryOf(report))
    }
    if (stopped) throw new Interrupted(stopped)
    if (report.outcomes.skipped > 0) throw new Failure()
  })

interface ImportFlags {
  readonly author?: string
  readonly slug: 'name' | 'path'
  readonly json?: boolean
}

/** The first hundred lines of each sort, for a person to read, on standard error. Names of files may hold what a terminal obeys: it is escaped. */
class OutcomeLists {
  readonly #lists = new Map<string, { readonly lines: string[]; count: number }>(
    ['not read', 'noted', 'draft', 'skipped'].map((name) => [name, { lines: [], count: 0 }]),
  )

  add({ file, line, outcome, why, notes }: Outcome): void {
    for (const note of notes) this.#list('noted', `${file}:${line}: ${note}`)
    const verb = outcome === 'draft' ? 'is a draft: ' : ''
    if (outcome !== 'imported') this.#list(outcome, `${file}:${line}: ${verb}${why.join('; ')}`)
  }

  #list(name: string, text: string): void {
    const list = this.#lists.get(name)
    if (!list) return
    list.count++
    if (list.lines.length < 100) list.lines.push(text)
  }

  print(): void {
    for (const { lines, count } of this.#lists.values()) {
      for (const line of lines) console.error(escapeUnseen(line))
      if (count > lines.length) console.error(`… and ${count - lines.length} more: --json names them all.`)
    }
  }
}

function summaryOf({ files, outcomes, noted, unreadFields, reasons, articles, users, tags }: ImportReport): string {
  const became = (name: Outcome['outcome'], label: string): string[] => {
    const why = Object.entries(reasons[name]).map(([reason, count]) => `  ${String(count).padStart(8)} ${reason}`)
    return outcomes[name] === 0 ? [] : [`${String(outcomes[name]).padStart(8)} ${label}`, ...why]
  }
  const unread = Object.entries(unreadFields).map(([field, count]) => `${field} (${count})`)
  return [
    `${files} ${files === 1 ? 'file' : 'files'}. What became of them, and of their records:`,
    ...became('imported', 'imported'),
    ...became('draft', 'imported as drafts, because'),
    ...became('skipped', 'left out, because it'),
    ...became('not read', 'not read, because it'),
    ...(noted > 0 ? [`${noted} of them came in with a note: see above.`] : []),
    ...(unread.length > 0 ? [`Fields without a place in Stet, which are left out: ${unread.join(', ')}.`] : []),
    `articles: ${counts(articles)}`,
    `users:    ${counts(users)}`,
    `tags:     ${counts(tags)}`,
  ].join('\n')
}

const counts = ({ created, updated, unchanged }: Counts): string =>
  `${created} created, ${updated} updated, ${unchanged} unchanged`
