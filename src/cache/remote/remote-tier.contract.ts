import { deepEqual, equal, fail, ok } from 'node:assert/strict'
import { inTime } from '../../kernel/in-time.ts'
import type { Found, LeaseRequest, ReadRequest, RemoteTier } from './remote-tier.ts'

/**
 * Two ways to one empty store, as two processes have them.
 * @example const tiers: TiersUnderTest = { one: new MyTier(store), other: new MyTier(store) }
 */
export interface TiersUnderTest {
  readonly one: RemoteTier
  readonly other: RemoteTier
  /** Lets so many milliseconds pass, if the tiers have a clock that does not run by itself. */
  pass?(ms: number): void
  /** Ends both, and fails the test if something went wrong unseen. */
  close?(): unknown
}

/**
 * One promise of a remote tier.
 * @example const failures = await Promise.allSettled(cases.map(({ run }: ContractCase) => run()))
 */
export interface ContractCase {
  readonly name: string
  /** Rejects with an `AssertionError` if the tier breaks this promise. */
  run(): Promise<void>
}

/**
 * What a cache relies on in a `RemoteTier`, as cases for any test runner. Each opens tiers of its own, and closes them. A tier
 * whose `wakes` is false is held only to what it stores: it is never asked for leases.
 *
 * @example
 * import { it } from 'node:test'
 * import { remoteTierContract } from 'stet/cache/contract'
 *
 * const open = async () => {
 *   const store = new MyStore()
 *   return { one: new MyTier(store), other: new MyTier(store), close: () => store.close() }
 * }
 * for (const { name, run } of remoteTierContract(open)) it(name, run)
 */
export function remoteTierContract(open: () => Promise<TiersUnderTest>): readonly ContractCase[] {
  return Object.entries({ ...storage, ...leases }).map(([name, check]) => ({
    name,
    run: async () => {
      const tiers = await open()
      try {
        if (name in storage || tiers.one.wakes) await check(tiers)
      } finally {
        await tiers.close?.()
      }
    },
  }))
}

type Check = (tiers: TiersUnderTest) => Promise<void>

const storage: Readonly<Record<string, Check>> = {
  'brings back the bytes it was given, in the order asked for': async ({ one, other }) => {
    const bytes = Buffer.from([0, 255, 13, 10, 128])
    await stored(one, 'a', bytes)
    same(await other.read([{ key: 'b' }, { key: 'a' }, askFor('a', 'x')]), [{}, { bytes }, { bytes }])
  },

  'has nothing to say where nothing is asked': async ({ one }) => {
    same(await one.read([]), [])
  },
}

const leases: Readonly<Record<string, Check>> = {
  'lets one load what is missing, and tells the others for whom to wait': async ({ one, other }) => {
    same(await one.read([askFor('a', 'x'), { key: 'a' }]), [{ lease: 'mine' }, {}])
    same(await other.read([askFor('a', 'y'), askFor('b', 'y')]), [{ lease: 'x' }, { lease: 'mine' }])
  },

  'says for how long at most': async ({ one, other }) => {
    await one.read([askFor('a', 'x')])
    const [found] = await other.read([askFor('a', 'y')])
    const leftMs = typeof found?.lease === 'object' ? found.lease.leftMs : fail('The lease is not said to be held.')
    ok(leftMs > LEASE_MS - 10_000 && leftMs <= LEASE_MS, `${leftMs} ms are said to be left of ${LEASE_MS}.`)
  },

  'decides between those that ask in one turn, even in one question': async ({ one }) => {
    const answers = await Promise.all([one.read([askFor('a', 'x'), askFor('a', 'y')]), one.read([askFor('a', 'z')])])
    same(answers.flat(), [{ lease: 'mine' }, { lease: 'x' }, { lease: 'x' }])
  },

  'leaves the lease to a holder that asks again': async ({ one }) => {
    await one.read([askFor('a', 'x')])
    same(await one.read([askFor('a', 'x')]), [{ lease: 'mine' }])
  },

  'takes any text for a holder, and any for a key without braces': async ({ one, other }) => {
    const holder = '+-“”\n\u0000'
    await one.read([askFor('kind:%7B’\u0000', holder)])
    same(await other.read([askFor('kind:%7B’\u0000', '-')]), [{ lease: holder }])
  },

  'grants no lease on what is stored, unless it no longer serves': async ({ one, other }) => {
    const bytes = Buffer.of(1)
    const evenIfFound = true
    await stored(one, 'a', bytes)
    same(await one.read([askFor('a', 'x')]), [{ bytes }])
    same(await one.read([askFor('a', 'x', { evenIfFound })]), [{ bytes, lease: 'mine' }])
    same(await other.read([askFor('a', 'y', { evenIfFound }), askFor('a', 'y')]), [{ bytes, lease: 'x' }, { bytes }])
  },

  'takes a lease away from the holder that is named, and from no other': async ({ one, other }) => {
    await one.read([askFor('a', 'x')])
    same(await other.read([askFor('a', 'y', { from: 'z' })]), [{ lease: 'x' }])
    same(await other.read([askFor('a', 'y', { from: 'x' })]), [{ lease: 'mine' }])
    await released(one, 'a', 'x')
    same(await one.read([askFor('a', 'z')]), [{ lease: 'y' }])
  },

  'grants a free lease to who would take it away': async ({ one }) => {
    same(await one.read([askFor('a', 'y', { from: 'x' })]), [{ lease: 'mine' }])
  },

  'grants a lease again when its holder gave it back': async ({ one, other }) => {
    await one.read([askFor('a', 'x')])
    await released(one, 'a', 'x')
    same(await other.read([askFor('a', 'y')]), [{ lease: 'mine' }])
  },

  'grants a lease again when its time is over, and then takes no release for it': async ({ one, other, pass }) => {
    await one.read([askFor('a', 'x', { ms: 20 })])
    pass?.(20)
    const untilMs = performance.now() + SOON_MS
    while ((await other.read([askFor('a', 'y')]))[0]?.lease !== 'mine') {
      ok(performance.now() < untilMs, `A lease of 20 ms did not end within ${SOON_MS} ms.`)
      await nextTimer()
    }
    await released(one, 'a', 'x')
    same(await one.read([askFor('a', 'z')]), [{ lease: 'y' }])
  },

  'wakes all who wait for a key, once, when what was loaded is there': async (tiers) => {
    const { one, other } = tiers
    await one.read([askFor('a', 'x')])
    await other.read([askFor('a', 'y')])
    const wakes: string[] = []
    const seen = ['first', 'second'].map(
      (name) =>
        new Promise<readonly Found[]>((resolve) => {
          other.onRelease('a', () => {
            wakes.push(name)
            resolve(other.read([{ key: 'a' }]))
          })
        }),
    )
    other.onRelease('b', () => wakes.push('b'))
    one.write('a', Buffer.of(1), TTL_MS)
    one.release('a', 'x')
    for (const found of await soon(Promise.all(seen))) same(found, [{ bytes: Buffer.of(1) }])
    await contend(tiers, 'a')
    deepEqual(wakes.sort(), ['first', 'second'])
  },

  'wakes nobody who no longer waits': async (tiers) => {
    const wakes: string[] = []
    const stop = tiers.other.onRelease('a', () => wakes.push('stopped'))
    tiers.other.onRelease('a', () => wakes.push('waiting'))
    stop()
    stop()
    await contend(tiers, 'a')
    deepEqual(wakes, ['waiting'])
  },

  'wakes nobody for a release by somebody else than the holder': async (tiers) => {
    const { one, other } = tiers
    const wakes: string[] = []
    other.onRelease('a', () => wakes.push('a'))
    await one.read([askFor('a', 'x')])
    await other.read([askFor('a', 'y')])
    await released(other, 'a', 'y')
    await released(other, 'a', '')
    await contend(tiers, 'b')
    deepEqual(wakes, [])
    same(await other.read([askFor('a', 'y')]), [{ lease: 'x' }])
  },

  'wakes who waits again from within a wake at the next release, not at once': async (tiers) => {
    let wakes = 0
    const waitAgain = () => {
      wakes++
      tiers.other.onRelease('a', waitAgain)
    }
    waitAgain()
    await contend(tiers, 'a')
    await contend(tiers, 'a')
    equal(wakes, 3)
  },
}

/** A lease of somebody else by its holder, and nothing that is undefined. */
function same(
  found: readonly Found[],
  expected: readonly { readonly bytes?: Buffer; readonly lease?: string }[],
): void {
  const said = found.map(({ bytes, lease }) => ({
    ...(bytes && { bytes: Buffer.from(bytes) }),
    ...(lease && { lease: lease === 'mine' ? lease : lease.holder }),
  }))
  deepEqual(said, expected)
}

const askFor = (key: string, holder: string, request: Partial<LeaseRequest> = {}): ReadRequest => ({
  key,
  lease: { holder, ms: LEASE_MS, ...request },
})

async function stored(tier: RemoteTier, key: string, bytes: Buffer): Promise<void> {
  tier.write(key, bytes, TTL_MS)
  await tier.flush()
}

async function released(tier: RemoteTier, key: string, holder: string): Promise<void> {
  tier.release(key, holder)
  await tier.flush()
}

/** Has `key` held, waited for and given back. Resolves once all who waited have been woken. */
async function contend({ one, other }: TiersUnderTest, key: string): Promise<void> {
  const woken = new Promise<void>((wake) => other.onRelease(key, wake))
  await one.read([askFor(key, 'holder', { evenIfFound: true })])
  await one.read([askFor(key, 'waiting', { evenIfFound: true })])
  one.release(key, 'holder')
  await soon(woken)
}

const soon = <T>(event: Promise<T>): Promise<T> =>
  inTime(event, SOON_MS, () => fail(`Nobody was woken within ${SOON_MS} ms.`))

const nextTimer = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 5))

const LEASE_MS = 60_000
const TTL_MS = 10_000
const SOON_MS = 10_000
