import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { Redis } from 'ioredis'
import { createRedisPrefix, eventually, type RedisServer, startRedis } from '../../../test/harness/index.ts'
import { TinyRemote } from '../../../test/models/tiny-remote.ts'
import { ManualClock } from '../../kernel/clock.ts'
import { RedisTier } from './redis-tier.ts'
import type { LeaseRequest, RemoteTier } from './remote-tier.ts'

/** Two processes' ways to one store. */
interface Store {
  readonly one: RemoteTier
  readonly other: RemoteTier
  /** Resolves once everything written and given back has arrived. */
  flush(): Promise<unknown>
  pass(ms: number): void
  close(): Promise<unknown>
}

let server: RedisServer
let store: Store

const stores = {
  'a RedisTier': openRedisStore,
  'a TinyRemote': openTinyStore,
}

beforeAll(async () => {
  server = await startRedis()
})

afterAll(() => server.stop())

describe.each(Object.entries(stores))('%s', (_name, open) => {
  beforeEach(async () => {
    store = await open()
  })

  afterEach(() => store.close())

  it('brings back the bytes it was given, in the order asked for', async () => {
    const bytes = Buffer.from([0, 255, 13, 10, 128])
    await stored('a', bytes)
    expect(await store.other.read([{ key: 'b' }, { key: 'a' }, wanted('a', 'x')])).toEqual([{}, { bytes }, { bytes }])
  })

  it('has nothing to say where nothing is asked', async () => {
    expect(await store.one.read([])).toEqual([])
  })

  it('lets one load what is missing, and tells the others for whom to wait', async () => {
    expect(await store.one.read([wanted('a', 'x'), { key: 'a' }])).toEqual([{ lease: 'mine' }, {}])
    expect(await store.other.read([wanted('a', 'y'), wanted('b', 'y')])).toEqual([
      { lease: { holder: 'x', leftMs: expect.any(Number) } },
      { lease: 'mine' },
    ])
  })

  it('says for how long at most', async () => {
    await store.one.read([wanted('a', 'x')])
    const [found] = await store.other.read([wanted('a', 'y')])
    const leftMs = typeof found?.lease === 'object' ? found.lease.leftMs : undefined
    expect(leftMs).toBeGreaterThan(50_000)
    expect(leftMs).toBeLessThanOrEqual(60_000)
  })

  it('decides between those that ask in one turn, even in one question', async () => {
    const answers = await Promise.all([
      store.one.read([wanted('a', 'x'), wanted('a', 'y')]),
      store.one.read([wanted('a', 'z')]),
    ])
    expect(answers.flat()).toMatchObject([{ lease: 'mine' }, { lease: { holder: 'x' } }, { lease: { holder: 'x' } }])
  })

  it('leaves the lease to a holder that asks again', async () => {
    await store.one.read([wanted('a', 'x')])
    expect(await store.one.read([wanted('a', 'x')])).toEqual([{ lease: 'mine' }])
  })

  it('takes any text for a holder, and any for a key without braces', async () => {
    const holder = '+-“”\n\u0000'
    await store.one.read([wanted('kind:%7B’\u0000', holder)])
    expect(await store.other.read([wanted('kind:%7B’\u0000', '-')])).toMatchObject([{ lease: { holder } }])
  })

  it('grants no lease on what is stored, unless it no longer serves', async () => {
    const bytes = Buffer.from('1')
    await stored('a', bytes)
    expect(await store.one.read([wanted('a', 'x')])).toEqual([{ bytes }])
    expect(await store.one.read([wanted('a', 'x', { evenIfFound: true })])).toEqual([{ bytes, lease: 'mine' }])
    expect(await store.other.read([wanted('a', 'y', { evenIfFound: true }), wanted('a', 'y')])).toMatchObject([
      { bytes, lease: { holder: 'x' } },
      { bytes },
    ])
  })

  it('takes a lease away from the holder that is named, and from no other', async () => {
    await store.one.read([wanted('a', 'x')])
    expect(await store.other.read([wanted('a', 'y', { from: 'z' })])).toMatchObject([{ lease: { holder: 'x' } }])
    expect(await store.other.read([wanted('a', 'y', { from: 'x' })])).toEqual([{ lease: 'mine' }])
    store.one.release('a', 'x')
    await store.flush()
    expect(await store.one.read([wanted('a', 'z')])).toMatchObject([{ lease: { holder: 'y' } }])
  })

  it('grants a free lease to who would take it away', async () => {
    expect(await store.one.read([wanted('a', 'y', { from: 'x' })])).toEqual([{ lease: 'mine' }])
  })

  it('grants a lease again when its holder gave it back', async () => {
    await store.one.read([wanted('a', 'x')])
    store.one.release('a', 'x')
    await store.flush()
    expect(await store.other.read([wanted('a', 'y')])).toEqual([{ lease: 'mine' }])
  })

  it('grants a lease again when its time is over, and then takes no release for it', async () => {
    await store.one.read([wanted('a', 'x', { ms: 20 })])
    store.pass(20)
    await eventually(async () => expect(await store.other.read([wanted('a', 'y')])).toEqual([{ lease: 'mine' }]))
    store.one.release('a', 'x')
    await store.flush()
    expect(await store.one.read([wanted('a', 'z')])).toMatchObject([{ lease: { holder: 'y' } }])
  })

  it('wakes all who wait for a key, once, when what was loaded is there', async () => {
    await store.one.read([wanted('a', 'x')])
    await store.other.read([wanted('a', 'y')])
    const wakes: string[] = []
    const seen = ['first', 'second'].map(
      (name) =>
        new Promise((resolve) => {
          store.other.onRelease('a', () => {
            wakes.push(name)
            resolve(store.other.read([{ key: 'a' }]))
          })
        }),
    )
    store.other.onRelease('b', () => wakes.push('b'))
    store.one.write('a', Buffer.from('1'), 10_000)
    store.one.release('a', 'x')
    const found = [{ bytes: Buffer.from('1') }]
    expect(await Promise.all(seen)).toEqual([found, found])
    await contend('a')
    expect(wakes.toSorted()).toEqual(['first', 'second'])
  })

  it('wakes nobody who no longer waits', async () => {
    const wakes: string[] = []
    const stop = store.other.onRelease('a', () => wakes.push('stopped'))
    store.other.onRelease('a', () => wakes.push('waiting'))
    stop()
    stop()
    await contend('a')
    expect(wakes).toEqual(['waiting'])
  })

  it('wakes nobody for a release by somebody else than the holder', async () => {
    const wakes: string[] = []
    store.other.onRelease('a', () => wakes.push('a'))
    await store.one.read([wanted('a', 'x')])
    await store.other.read([wanted('a', 'y')])
    store.other.release('a', 'y')
    store.other.release('a', '')
    await store.flush()
    await contend('b')
    expect(wakes).toEqual([])
    expect(await store.other.read([wanted('a', 'y')])).toMatchObject([{ lease: { holder: 'x' } }])
  })

  it('wakes who waits again from within a wake at the next release, not at once', async () => {
    let wakes = 0
    const waitAgain = () => {
      wakes++
      store.other.onRelease('a', waitAgain)
    }
    waitAgain()
    await contend('a')
    await contend('a')
    expect(wakes).toBe(3)
  })
})

function wanted(key: string, holder: string, request: Partial<LeaseRequest> = {}) {
  return { key, lease: { holder, ms: 60_000, ...request } }
}

async function stored(key: string, bytes: Buffer): Promise<void> {
  store.one.write(key, bytes, 10_000)
  await store.flush()
}

/** Has `key` held, waited for and given back, and waits until all who waited have been woken. */
async function contend(key: string): Promise<void> {
  const woken = new Promise<void>((wake) => store.other.onRelease(key, wake))
  const held = { evenIfFound: true }
  await store.one.read([wanted(key, 'holder', held)])
  await store.one.read([wanted(key, 'waiting', held)])
  store.one.release(key, 'holder')
  await woken
}

async function openTinyStore(): Promise<Store> {
  const clock = new ManualClock()
  const remote = new TinyRemote(clock)
  return { one: remote, other: remote, flush: async () => {}, pass: (ms) => clock.advance(ms), close: async () => {} }
}

async function openRedisStore(): Promise<Store> {
  const keyPrefix = createRedisPrefix()
  const channel = `${keyPrefix}leases`
  const clients: Redis[] = []
  const errors: Error[] = []
  const connect = () => {
    const client = new Redis(server.url, { keyPrefix, commandTimeout: 5000 })
    clients.push(client)
    return client
  }
  const open = () => new RedisTier({ redis: connect(), subscriber: connect(), channel, onError: (e) => errors.push(e) })
  const one = open()
  const other = open()
  await eventually(async () => (await connect().pubsub('NUMSUB', channel))[1] === 2)
  return {
    one,
    other,
    flush: () => Promise.all([one.flush(), other.flush()]),
    pass: () => {},
    close: async () => {
      await Promise.all([one.stop(), other.stop()])
      for (const client of clients) client.disconnect()
      expect(errors).toEqual([])
    },
  }
}
