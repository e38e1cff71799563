import { randomUUID } from 'node:crypto'
import { eventually, type PostgresServer, queryOnce, startPostgres } from '../../harness/index.ts'

/** A statement, as PostgreSQL wrote down that it ran it. */
export interface Statement {
  /** The `application_name` of whoever sent it. */
  readonly by: string
  readonly text: string
  /** Such as `$1 = '{1,2}'`. Empty where there are none. */
  readonly parameters: string
}

/** Starts PostgreSQL that writes down every statement it runs. */
export const startLoggingPostgres = (): Promise<PostgresServer> =>
  startPostgres({
    settings: {
      log_statement: 'all',
      log_destination: 'jsonlog',
      logging_collector: 'on',
      log_filename: 'statements.log',
      log_rotation_age: '0',
      log_rotation_size: '0',
    },
  })

/** Reads what such a PostgreSQL wrote down: by SQL, wherever the server is. */
export class StatementLog {
  readonly #url: string

  constructor(serverUrl: string) {
    this.#url = serverUrl
  }

  /** From when this resolves `since` tells of what is run. */
  async mark(): Promise<Mark> {
    const [row] = await queryOnce(this.#url, `select size from pg_stat_file('${FILE}')`)
    const begin = randomUUID()
    await queryOnce(this.#url, `select '${begin}'`)
    return { offset: Number(row?.size), begin }
  }

  /** Statements that were begun after the mark and by now and whose text matches, in order. */
  async since({ offset, begin }: Mark, which = /^/): Promise<Statement[]> {
    const end = randomUUID()
    await queryOnce(this.#url, `select '${end}'`)
    // Each is written down before it runs, but it takes a while until it is in the file.
    return eventually(async () => {
      const statements = (await this.#read(offset)).split('\n').flatMap(parse)
      const isMark = (mark: string) => statements.findIndex(({ text }) => text === `select '${mark}'`)
      const [from, to] = [isMark(begin), isMark(end)]
      if (from < 0 || to < 0) return false
      return statements.slice(from + 1, to).filter(({ text }) => which.test(text))
    })
  }

  async #read(offset: number): Promise<string> {
    const rest = `select pg_read_binary_file('${FILE}', ${offset}, size - ${offset}) as bytes from pg_stat_file('${FILE}')`
    const [row] = await queryOnce(this.#url, rest)
    return row ? (row.bytes as Buffer).toString('utf8') : ''
  }
}

interface Mark {
  readonly offset: number
  readonly begin: string
}

const FILE = 'log/statements.json'

function parse(line: string): Statement[] {
  // The last line may not be whole yet.
  if (!line.endsWith('}')) return []
  const {
    application_name: by = '',
    message = '',
    detail = '',
  } = JSON.parse(line) as Record<string, string | undefined>
  const [, text] = /^(?:statement|execute [^:]*): (.*)$/s.exec(message) ?? []
  return text === undefined ? [] : [{ by, text, parameters: detail.replace(/^parameters: /, '') }]
}
