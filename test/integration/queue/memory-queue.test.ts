import { afterEach, beforeEach, expect, it } from '@jest/globals'
import { eventually, sharedServers } from '../../harness/index.ts'
import { startReplyGate } from '../races/reply-gate.ts'
import { TallyWorld } from './tally-world.ts'

/** Without Redis. */
let world: TallyWorld

beforeEach(async () => {
  world = await TallyWorld.create()
})

afterEach(() => world.end())

it('counts every second', async () => {
  const { worker, words, clock } = world.worker({ inMemory: true })
  worker.start()
  for (let n = 0; n < 3; n++) await words.add('word')
  clock.advance(999)
  expect(await world.tally()).toEqual({})
  expect(await words.state()).toEqual({ depth: 3, lagMs: 999, dead: 0 })
  clock.advance(1)
  await eventually(async () => (await words.state()).depth === 0)
  expect(await world.tally()).toEqual({ word: 3 })
  await worker.stop()
})

it('counts what is left when it is stopped', async () => {
  const { worker, words } = world.worker({ inMemory: true })
  worker.start()
  for (let n = 0; n < 2345; n++) await words.add('word')
  await worker.stop()
  expect(await world.tally()).toEqual({ word: 2345 })
})

it('refuses what is beyond its bound', async () => {
  const { worker, words } = world.worker({ inMemory: true, maxEntries: 2 })
  await words.add('word')
  await words.add('word')
  await expect(words.add('word')).rejects.toMatchObject({ code: 'OVERLOADED' })
  await worker.drain()
  await words.add('word')
  await worker.drain()
  expect(await world.tally()).toEqual({ word: 3 })
})

it('counts once what was committed without a confirmation', async () => {
  const gate = await startReplyGate(sharedServers().postgresUrl)
  const { worker, words } = world.worker({ inMemory: true, databaseUrl: gate.through(world.databaseUrl) })
  await words.add('word')
  const commit = gate.hold(/^Q....commit/)
  const drained = worker.drain().catch((error: Error) => error)
  await commit.arrived
  gate.drop()
  await drained
  expect(await words.state()).toMatchObject({ depth: 1 })
  await worker.drain()
  expect(await world.tally()).toEqual({ word: 1 })
  await gate.close()
})

it('says what it had to drop', async () => {
  const dropped: unknown[] = []
  const { worker, words } = world.worker({
    inMemory: true,
    observer: { onDropped: (...what) => dropped.push(what) },
  })
  await words.add('poison')
  await words.add('word')
  for (let attempt = 1; attempt < 5; attempt++) await expect(worker.drain()).rejects.toThrow()
  await worker.drain()
  expect(dropped).toEqual([['words', '"poison"', expect.stringContaining('tallies_word_check')]])
  expect(await world.tally()).toEqual({ word: 1 })
})
