import { randomInt } from 'node:crypto'
import { setImmediate } from 'node:timers/promises'
import { expect, it } from '@jest/globals'
import { Random } from '../kernel/random.ts'
import { atTurnEnd } from '../kernel/turn-end.ts'
import { Turns } from './turns.ts'

/** Each request takes a millisecond once it has begun, or what its client's take, and a turn has two. */
function notebook({ maxWaiting = 1000, tookMs = 1, of = {} as Readonly<Record<string, number>> } = {}) {
  let nowMs = 0
  const turns = new Turns({ maxWaiting, sliceMs: 2, now: () => nowMs })
  const began: string[] = []
  const work = (client: string) => {
    began.push(client)
    nowMs += of[client] ?? tookMs
  }
  const take = async (client: string) => {
    await turns.take(client, () => new Error('too many'))
    work(client)
  }
  const goOn = async (client: string) => {
    await turns.goOn(client)
    work(client)
  }
  return { turns, began, take, goOn }
}

it('lets requests begin at once while a turn has time', async () => {
  const { began, take } = notebook()
  await take('a')
  await take('a')
  expect(began.join('')).toBe('aa')
  const third = take('a')
  await Promise.resolve()
  expect(began.join('')).toBe('aa')
  await third
})

it('begins with one request of each client in turn, and with those of one in order', async () => {
  const { began, take } = notebook({ tookMs: 5 })
  await take('a')
  await Promise.all([...'aaaabbc'].map(take))
  expect(began.join('')).toBe('aabcabaa')
})

it('lets a newcomer wait for one turn, however many wait', async () => {
  const { began, take } = notebook()
  await take('one')
  await take('one')
  const flood = Array.from({ length: 500 }, (_, n) => take(n % 2 === 0 ? 'one' : 'other'))
  await setImmediate()
  const before = began.length
  await take('newcomer')
  expect(began.length - before).toBeLessThanOrEqual(5)
  await Promise.all(flood)
  expect(began).toHaveLength(503)
})

it('lets what requests ask for go out when no other may work', async () => {
  // The turns of the tests before have ended.
  await setImmediate()
  const { began, take } = notebook()
  const sent: string[] = []
  const askFor = async (client: string) => {
    await take(client)
    atTurnEnd(() => void sent.push(`${client} after ${began.length}`))
  }
  const all = [...'abcd'].map(askFor)
  for (let tick = 0; tick < 10; tick++) await new Promise((resolve) => process.nextTick(resolve))
  expect(sent).toEqual(['a after 2', 'b after 2'])
  await setImmediate()
  expect(sent).toEqual(['a after 2', 'b after 2', 'c after 4', 'd after 4'])
  await Promise.all(all)
})

it('lets what is asked for between two turns go out before others work', async () => {
  await setImmediate()
  const { began, take } = notebook()
  const sent: string[] = []
  const all = [...'abc'].map(take)
  for (let tick = 0; tick < 10; tick++) await new Promise((resolve) => process.nextTick(resolve))
  atTurnEnd(() => void sent.push(`by a reply after ${began.length}`))
  await Promise.all(all)
  await setImmediate()
  expect(sent).toEqual(['by a reply after 2'])
})

it('lets the event loop look at its sockets after each slice, and not before', async () => {
  const { began, take } = notebook()
  await take('a')
  await take('a')
  const all = Promise.all([...'aaaaaa'].map(take))
  const seen = [began.length]
  while (began.length < 8) {
    await setImmediate()
    seen.push(began.length)
  }
  await all
  expect([...new Set(seen)]).toEqual([2, 4, 6, 8])
})

it('begins with any number that take no time in one turn', async () => {
  const { began, take } = notebook({ tookMs: 0 })
  const all = Promise.all(Array.from({ length: 300 }, () => take('a')))
  await setImmediate()
  expect(began).toHaveLength(300)
  await all
})

it('refuses what would wait beyond its bound, and takes more once others have begun', async () => {
  const { began, take } = notebook({ maxWaiting: 2, tookMs: 5 })
  await take('a')
  const waiting = [take('a'), take('b')]
  await expect(take('c')).rejects.toThrow('too many')
  await Promise.all(waiting)
  await take('c')
  expect(began.join('')).toBe('aabc')
})

it('serves first whoever was served for the least time, so that what is dear waits for what is cheap', async () => {
  const { began, take } = notebook({ of: { d: 10 } })
  await take('c')
  await take('c')
  await Promise.all([...'dddccccccccccccccccccccccccccc'].map(take))
  // Ten cheap ones take as long as a dear one.
  expect(began.join('')).toMatch(/^ccdc{10}dc{10}dc{7}$/)
})

it('counts what each was served only while somebody waits', async () => {
  const { began, take } = notebook({ of: { d: 100 } })
  await take('c')
  await Promise.all([...'ccd'].map(take))
  await setImmediate()
  await Promise.all([...'ddc'].map(take))
  // The dear one is first again, and once more: nobody has waited for it meanwhile.
  expect(began.join('')).toBe('ccdcddc')
})

it('lets those work on one after another whose loads end in the same moment, as long as the turn has time', async () => {
  const { began, goOn } = notebook({ tookMs: 5 })
  const all = Promise.all([...'abab'].map(goOn))
  for (let tick = 0; tick < 10; tick++) await Promise.resolve()
  const seen = [began.length]
  while (began.length < 4) {
    await setImmediate()
    seen.push(began.length)
  }
  await all
  expect([...new Set(seen)]).toEqual([1, 2, 3, 4])
  expect(began.join('')).toBe('abab')
})

it('lets a client finish what it has begun before it begins anything else, and refuses to let nothing go on', async () => {
  const { began, take, goOn } = notebook({ maxWaiting: 1, tookMs: 5 })
  await take('a')
  const beginning = take('b')
  const goingOn = [goOn('b'), goOn('c')].map((it, index) => it.then(() => began.push(`${index}`)))
  await Promise.all([beginning, ...goingOn])
  expect(began.join('')).toBe('ab0c1b')
})

const seed = Number(process.env.TEST_SEED ?? randomInt(2 ** 31))

it(`gives a client its share though others come that were never served, and remembers few of those (TEST_SEED=${seed})`, async () => {
  const random = new Random(seed)
  let nowMs = 0
  const turns = new Turns({ maxWaiting: 10_000, sliceMs: 5, now: () => nowMs })
  const served = { known: 0, newcomers: 0 }
  const waiting = { known: 0, newcomers: 0 }
  const take = async (kind: keyof typeof served, client: string) => {
    waiting[kind]++
    await turns.take(client, () => new Error('too many'))
    // Most are cheap, and some take a hundred times as long.
    nowMs += kind === 'known' ? 1 : (random.below(50) === 0 ? 40 : 0.5) * random.next()
    waiting[kind]--
    served[kind]++
  }
  let names = 0
  for (let turn = 0; turn < 3000; turn++) {
    while (waiting.newcomers < 100) void take('newcomers', `newcomer ${names++}`)
    while (waiting.known < 3) void take('known', 'known')
    await setImmediate()
  }
  // As many clients wait as it would have to share with.
  expect(served.newcomers / served.known).toBeLessThan(250)
  expect(turns.size).toBeLessThan(1000)
})

it('lets nobody wait for long because of one piece of work', async () => {
  const { began, take } = notebook({ of: { d: 1000 } })
  await take('c')
  await take('c')
  await Promise.all([...`dd${'c'.repeat(200)}`].map(take))
  // Ten slices of two milliseconds ahead, which both share.
  expect(began.join('')).toMatch(/^ccdc{39,41}dc+$/)
})
