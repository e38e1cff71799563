import { expect, it } from '@jest/globals'
import { eventually } from './eventually.ts'

it('answers with what the check answers once it neither throws nor says false', async () => {
  const answers = [
    () => {
      throw new Error('not yet')
    },
    () => false as const,
    () => 'now',
  ]
  expect(await eventually(() => answers.shift()?.() ?? false)).toBe('now')
})

it('fails with the last reason', async () => {
  const failing = eventually(() => expect(1).toBe(2), { withinMs: 60 })
  await expect(failing).rejects.toThrow(/^not within 60 ms: .*expect/s)
})

it('does not wait for a check that hangs', async () => {
  const hanging = eventually(() => new Promise<void>(() => {}), { withinMs: 60 })
  await expect(hanging).rejects.toThrow('not within 60 ms: the check never answered')
})
