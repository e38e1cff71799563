import { afterEach, beforeEach, expect, it } from '@jest/globals'
import pg from 'pg'
import { eventually } from '../../test/harness/index.ts'
import { createStetDatabase } from '../../test/models/stet-database.ts'
import { Log } from './log.ts'
import type { Heard } from './loudspeaker.ts'
import { type ListeningClient, NotifyLoudspeaker } from './notify-loudspeaker.ts'

let database: Awaited<ReturnType<typeof createStetDatabase>>
let heard: Heard[]
let errors: Error[]
let speakers: NotifyLoudspeaker[]

beforeEach(async () => {
  database = await createStetDatabase()
  heard = []
  errors = []
  speakers = []
})

afterEach(async () => {
  for (const speaker of speakers) await speaker.stop()
  await database.drop()
})

it('hears how far the log goes, whoever sequenced', async () => {
  start()
  await listeners(1)
  await database.pool.query('insert into articles values (1)')
  await new Log(database.pool).sequence()
  await eventually(() => heard.length === 1)
  expect(heard).toEqual([{ kind: 'tip', position: 1 }])
})

it('listens again, once, after its connection was lost', async () => {
  start()
  await listeners(1)
  await database.pool.query(`select pg_terminate_backend(pid) from pg_stat_activity where query = 'listen stet'`)
  await listeners(0)
  await listeners(1)
  await database.pool.query('insert into articles values (1)')
  await new Log(database.pool).sequence()
  await eventually(() => heard.length > 0)
  expect(heard).toHaveLength(1)
  expect(errors.length).toBeGreaterThan(0)
})

it('leaves no connection behind where the server refuses to listen, as a standby does', async () => {
  let open = 0
  let made = 0
  const connect = (): ListeningClient => {
    made++
    let tellEnd = () => {}
    return {
      on: (event: string, listener: (argument: never) => void) => {
        if (event === 'end') tellEnd = () => listener(undefined as never)
      },
      connect: async () => {
        open++
      },
      query: () => Promise.reject(new Error('cannot execute LISTEN during recovery')),
      end: async () => {
        open--
        tellEnd()
      },
    }
  }
  start(connect)
  await eventually(() => made === 3)
  expect(open).toBeLessThanOrEqual(1)
  expect(errors.map(({ message }) => message)).toContain('cannot execute LISTEN during recovery')
})

it('goes on trying where there is no server yet', async () => {
  const urls = ['postgres://127.0.0.1:1/nowhere', database.url]
  start(() => new pg.Client(urls.shift() ?? database.url))
  await listeners(1)
  expect(errors.length).toBeGreaterThan(0)
})

it('closes its connection when it stops, and hears nothing more', async () => {
  const speaker = start()
  await listeners(1)
  await speaker.stop()
  await listeners(0)
})

function start(connect: () => ListeningClient = () => new pg.Client(database.url)): NotifyLoudspeaker {
  const speaker = new NotifyLoudspeaker({ connect, onError: (error) => void errors.push(error) })
  speaker.start((message) => void heard.push(message))
  speakers.push(speaker)
  return speaker
}

async function listeners(count: number): Promise<void> {
  await eventually(async () => {
    const { rows } = await database.pool.query(
      `select count(*)::int as count from pg_stat_activity
        where datname = current_database() and query = 'listen stet' and state = 'idle'`,
    )
    return rows[0].count === count
  })
}
