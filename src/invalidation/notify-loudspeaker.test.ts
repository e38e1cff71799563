import { afterEach, beforeEach, expect, it } from '@jest/globals'
import pg from 'pg'
import { eventually, startFaultProxy } from '../../test/harness/index.ts'
import { createStetDatabase } from '../../test/models/stet-database.ts'
import { Log } from './log.ts'
import type { Heard } from './loudspeaker.ts'
import { type ListeningClient, NotifyLoudspeaker, type NotifyLoudspeakerOptions } from './notify-loudspeaker.ts'

let database: Awaited<ReturnType<typeof createStetDatabase>>
let heard: Heard[]
let errors: Error[]
let speakers: NotifyLoudspeaker[]
let cuts: number
let made: number

beforeEach(async () => {
  database = await createStetDatabase()
  heard = []
  errors = []
  speakers = []
  cuts = 0
  made = 0
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
  // Other suites listen on the same server.
  await database.pool.query(
    `select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and query = 'listen stet'`,
  )
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

it('notices that its connection is dead, and listens on another', async () => {
  const { proxy, connect } = await throughProxy()
  const speaker = start(connect, { askEveryMs: 20, silenceMs: 300 })
  await eventually(() => speaker.isListening)
  expect(proxy.halfOpen('listen stet')).toBe(1)
  await eventually(() => !speaker.isListening)
  expect(cuts).toBe(1)
  await eventually(() => speaker.isListening)
  await database.pool.query('insert into articles values (1)')
  await new Log(database.pool).sequence()
  await eventually(() => heard.length === 1)
  await proxy.close()
})

it('notices it while it has yet to be told that it listens', async () => {
  const { proxy, connect } = await throughProxy()
  const speaker = start(
    () => {
      const client = connect()
      // Once only.
      if (made++ === 0) client.once('connect', () => proxy.stall())
      return client
    },
    { silenceMs: 300 },
  )
  await eventually(() => cuts === 1)
  await proxy.restore()
  await eventually(() => speaker.isListening)
  await proxy.close()
})

it('leaves a connection alone after a pause of this process, and stops in time although it is dead', async () => {
  const direct = start(undefined, { askEveryMs: 1, silenceMs: 100 })
  await eventually(() => direct.isListening)
  for (let pause = 0; pause < 3; pause++) {
    const until = performance.now() + 300
    while (performance.now() < until);
    await database.pool.query('select')
  }
  expect(cuts).toBe(0)
  const { proxy, connect } = await throughProxy()
  const speaker = start(connect, { askEveryMs: 1e6 })
  await eventually(() => speaker.isListening)
  proxy.halfOpen()
  await speaker.stop()
  await proxy.close()
})

it('closes its connection when it stops, and hears nothing more', async () => {
  const speaker = start()
  await listeners(1)
  await speaker.stop()
  await listeners(0)
})

async function throughProxy() {
  const { hostname, port } = new URL(database.url)
  const proxy = await startFaultProxy({ host: hostname, port: Number(port) })
  return { proxy, connect: () => new pg.Client(proxy.through(database.url)) }
}

function start(
  connect: () => ListeningClient = () => new pg.Client(database.url),
  options: Partial<NotifyLoudspeakerOptions> = {},
): NotifyLoudspeaker {
  const onCut = () => void cuts++
  const speaker = new NotifyLoudspeaker({ connect, onError: (error) => void errors.push(error), onCut, ...options })
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
