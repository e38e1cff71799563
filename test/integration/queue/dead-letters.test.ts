import { afterEach, beforeEach, expect, it } from '@jest/globals'
import type { GivenUp } from '../../../src/worker/job-stream.ts'
import { sharedServers } from '../../harness/index.ts'
import { startReplyGate } from '../races/reply-gate.ts'
import { type TallyWorker, TallyWorld } from './tally-world.ts'

let world: TallyWorld

beforeEach(async () => {
  world = await TallyWorld.create()
})

afterEach(() => world.end())

it('gives up what fails by itself, and counts all around it', async () => {
  const givenUp: GivenUp[] = []
  const tally = world.worker({ observer: { onGivenUp: (_queue, letter) => givenUp.push(letter) } })
  for (let n = 0; n < 40; n++) await tally.words.add(n === 13 || n === 14 || n === 39 ? 'poison' : 'word')
  await drainAll(tally)
  expect(await world.tally()).toEqual({ word: 37 })
  expect(givenUp).toHaveLength(3)
  expect(await world.stream.state()).toEqual({ depth: 0, lagMs: 0, dead: 3 })
  expect(await world.stream.letters(10)).toMatchObject(
    Array(3).fill({ job: '"poison"', error: expect.stringContaining('tallies_word_check'), attempts: 5 }),
  )
})

it('gives up what is no job at all', async () => {
  const tally = world.worker()
  await world.redis.xadd(world.key, '*', 'job', '{"not": "a word"}')
  await world.redis.xadd(world.key, '*', 'job', 'not even JSON')
  await tally.words.add('word')
  await drainAll(tally)
  expect(await world.tally()).toEqual({ word: 1 })
  expect((await world.stream.letters(10)).map(({ job }) => job)).toEqual(['{"not": "a word"}', 'not even JSON'])
})

it('queues a dead letter again, once, or drops it', async () => {
  const tally = world.worker()
  await tally.words.add('poison')
  await tally.words.add('poison')
  await drainAll(tally)
  await world.sql('alter table tallies drop constraint tallies_word_check')
  const [first, second] = await world.stream.letters(10)
  if (!first || !second) throw new Error('There should be two.')
  expect([await world.stream.replay(first.id), await world.stream.replay(first.id)]).toEqual([true, false])
  expect([await world.stream.drop(second.id), await world.stream.drop(second.id)]).toEqual([true, false])
  await tally.worker.drain()
  expect(await world.tally()).toEqual({ poison: 1 })
  expect(await world.stream.state()).toEqual({ depth: 0, lagMs: 0, dead: 0 })
})

it('buries what another worker gave up and did not live to bury', async () => {
  const gate = await startReplyGate(sharedServers().postgresUrl)
  const dying = world.worker({ databaseUrl: gate.through(world.databaseUrl) })
  await dying.words.add('poison')
  for (let attempt = 1; attempt < 5; attempt++) await expect(dying.worker.drain()).rejects.toThrow()
  const commit = gate.hold(/^Q....commit/)
  const drained = dying.worker.drain().catch((error: Error) => error)
  await commit.arrived
  await gate.close()
  await drained
  expect(await world.stream.state()).toMatchObject({ depth: 1, dead: 0 })

  const other = world.worker()
  await other.words.add('word')
  await other.worker.drain()
  expect(await world.tally()).toEqual({ word: 1 })
  expect(await world.stream.letters(10)).toMatchObject([{ job: '"poison"', attempts: 5 }])
  expect(await world.stream.state()).toMatchObject({ depth: 0, dead: 1 })
})

it('keeps so many dead letters and no more: the oldest go, and are told', async () => {
  const dropped: unknown[] = []
  const onDropped = (...what: unknown[]) => void dropped.push(what)
  const tally = world.worker({ maxDead: 2, observer: { onDropped } })
  for (let n = 1; n <= 5; n++) await world.redis.xadd(world.key, '*', 'job', String(n))
  await tally.words.add('word')
  await drainAll(tally)
  expect((await world.stream.letters(10)).map(({ job }) => job)).toEqual(['4', '5'])
  expect(dropped).toEqual(['1', '2', '3'].map((job) => ['words', job, 'A word is a text.']))
  expect(await world.tally()).toEqual({ word: 1 })
})

it('keeps fewer where the bound was lowered, and tells of each that goes', async () => {
  const dead = `${world.key}:dead`
  for (let n = 0; n < 250; n++) await world.redis.xadd(dead, '*', 'job', String(n), 'error', 'old', 'attempts', 5)
  const dropped: string[] = []
  const onDropped = (_queue: string, job: string) => void dropped.push(job)
  const tally = world.worker({ maxDead: 10, observer: { onDropped } })
  for (const left of [151, 52, 10]) {
    await tally.words.add('poison')
    await drainAll(tally)
    expect(await world.redis.xlen(dead)).toBe(left)
  }
  expect(dropped).toEqual(Array.from({ length: 243 }, (_, n) => String(n)))
})

it('does not hold an entry to blame for a database that is away', async () => {
  const away = world.worker({ databaseUrl: 'postgres://127.0.0.1:1/nowhere' })
  await away.words.add('word')
  for (let attempt = 0; attempt < 8; attempt++) await expect(away.worker.drain()).rejects.toThrow('ECONNREFUSED')
  expect(await world.stream.state()).toMatchObject({ depth: 1, dead: 0 })
  await world.worker().worker.drain()
  expect(await world.tally()).toEqual({ word: 1 })
})

/** Each failure of an entry by itself ends a drain. */
async function drainAll({ worker }: TallyWorker): Promise<void> {
  for (;;) {
    const failure = await worker.drain().catch((error: Error) => error)
    if (!failure) return
  }
}
