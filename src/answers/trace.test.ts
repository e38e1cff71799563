import { setImmediate as turn } from 'node:timers/promises'
import { expect, it } from '@jest/globals'
import { Trace } from './trace.ts'

it('is at hand in whatever is done for its request, and nowhere else', async () => {
  const [one, other] = [new Trace(), new Trace()]
  const seen = await Promise.all([
    one.run(() => turn().then(() => Trace.current)),
    other.run(() => turn().then(() => Trace.current)),
    turn().then(() => Trace.current),
  ])
  expect(seen[0]).toBe(one)
  expect(seen[1]).toBe(other)
  expect(seen[2]).toBeUndefined()
})

it('is at hand no more for what goes on after it, though others are', async () => {
  const ended = new Trace()
  let afterwards: Promise<Trace | undefined> | undefined
  await new Trace().run(async () => {
    await ended.run(async () => {
      afterwards = turn().then(() => Trace.current)
    })
    expect(await afterwards).toBeUndefined()
  })
})
