import { expect, it } from '@jest/globals'
import Fastify from 'fastify'
import { registerHealth } from './health.ts'

it('looks at the dependencies once for all who ask at the same moment', async () => {
  let looks = 0
  const check = async () => {
    looks++
    await new Promise(setImmediate)
  }
  const app = Fastify()
  registerHealth(app, { database: { required: true, check } }, () => false)
  const replies = await Promise.all(Array.from({ length: 50 }, () => app.inject('/readyz')))
  expect(new Set(replies.map(({ body }) => body))).toEqual(new Set(['server: ok\ndatabase: ok\n']))
  expect(looks).toBe(1)
  await app.inject('/readyz')
  expect(looks).toBe(2)
  await app.close()
})
