import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import type { Dice } from '../../integration/oracle/dice.ts'
import type { IntendedWrite, Refusal } from '../history/history.ts'
import type { Recorder } from '../history/recorder.ts'
import type { Content } from './content.ts'

export interface SqlWriterParts {
  /** Past every proxy. Asked each time: the primary may be another. */
  readonly databaseUrl: () => string
  readonly dice: Dice
  readonly content: Content
  readonly recorder: Recorder
}

/** Somebody with `psql`: writes past the API, tells no node of it, takes time to commit, and rolls some of it back. */
export class SqlWriter {
  readonly #parts: SqlWriterParts

  constructor(parts: SqlWriterParts) {
    this.#parts = parts
  }

  async work(isOver: () => boolean): Promise<void> {
    while (!isOver()) {
      await this.#write()
      await sleep(this.#parts.dice.below(100))
    }
  }

  async #write(): Promise<void> {
    const { dice, recorder, databaseUrl } = this.#parts
    const { statement, write } = this.#choose()
    const settings = dice.pick(SETTINGS)
    const isUndone = dice.chance(15)
    const startedAtMs = Date.now()
    const after = recorder.size
    // Whoever writes meanwhile commits first, and has a record that was appended later.
    const openForMs = dice.chance(50) ? dice.below(60) : 0
    const error = await transact(databaseUrl(), settings, statement, {
      end: isUndone ? 'rollback' : 'commit',
      openForMs,
    })
      .then((rows) => (isUndone ? refused('ROLLED_BACK') : rows === 0 ? refused('NO_SUCH_ROW') : undefined))
      .catch(explain)
    recorder.record({
      is: 'answer',
      asked: `${settings} ${statement}`.trim(),
      field: 'sql',
      client: 'psql',
      viewer: 'admin',
      node: 'psql',
      startedAtMs,
      endedAtMs: Date.now(),
      after,
      observed: [],
      write,
      ...(error && { error }),
    })
  }

  #choose(): { readonly statement: string; readonly write: IntendedWrite } {
    const { dice, content } = this.#parts
    const article = content.pick('articles', dice)
    const tag = content.pick('tags', dice)
    const mark = content.nextMark()
    const marked = (statement: string) => ({ statement: `${statement} returning 1`, write: { mark } })
    const unmarked = (statement: string) => ({ statement: `${statement} returning 1`, write: {} })
    return dice.pick([
      () => marked(`update public.articles set title = '${mark} by hand' where id = ${article}`),
      () =>
        marked(
          `update public.articles a set title = '${mark} by hand',
             author_id = (select id from public.users u where u.id = 1 + a.id % 3 for key share) where id = ${article}`,
        ),
      () =>
        marked(`update public.tags set description = '${mark} by hand', name = '${dice.words(1)}' where id = ${tag}`),
      () =>
        marked(`update public.users set display_name = '${mark} by hand' where id = ${content.pick('users', dice)}`),
      () => unmarked(`update public.articles set status = 'DRAFT', published_at = null where id = ${article}`),
      () => unmarked(`update public.articles set status = 'PUBLISHED', published_at = now() where id = ${article}`),
      () => unmarked(`delete from public.article_tags where article_id = ${article} and tag_id = ${tag}`),
      () =>
        unmarked(
          `insert into public.article_tags select a.id, t.id from public.articles a, public.tags t
             where a.id = ${article} and t.id = ${tag} for key share on conflict do nothing`,
        ),
    ])()
  }
}

/**
 * How writers may have set up their transactions. A replica's role checks no foreign key, so what a statement refers to is locked
 * by the statement itself.
 */
const SETTINGS = [
  '',
  '',
  'set local session_replication_role = replica;',
  `set local search_path = '';`,
  `set local session_replication_role = replica; set local search_path = pg_temp;`,
]

/** Returns how many rows the statement gave back. */
async function transact(
  url: string,
  settings: string,
  statement: string,
  { end, openForMs }: { readonly end: 'commit' | 'rollback'; readonly openForMs: number },
): Promise<number> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 5000, application_name: 'psql' })
  client.on('error', () => {})
  try {
    await client.connect()
    await client.query(`begin; ${settings}`)
    const { rows } = await client.query(statement)
    await sleep(openForMs)
    await client.query(end)
    return rows.length
  } finally {
    await client.end()
  }
}

const refused = (code: string): Refusal => ({ code, message: 'nothing is to be changed', open: false })

function explain(error: { readonly code?: unknown; readonly message: string }): Refusal {
  // Constraints, values and deadlocks: nothing was changed. Of what else nobody knows.
  const isRefusal = typeof error.code === 'string' && /^(23|40|22)...$/.test(error.code)
  return { code: isRefusal ? 'REFUSED_BY_SQL' : 'NETWORK', message: error.message, open: !isRefusal }
}
