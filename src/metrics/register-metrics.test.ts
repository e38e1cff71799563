import { expect, it } from '@jest/globals'
import Fastify from 'fastify'
import { Gauge } from 'prom-client'
import { Metrics } from './metrics.ts'
import { registerMetrics } from './register-metrics.ts'

it('reads the metrics once for all who ask at the same moment', async () => {
  const metrics = new Metrics()
  let readings = 0
  new Gauge({
    name: 'readings',
    help: 'Times that the metrics were read',
    registers: [metrics.registry],
    collect: async () => {
      readings++
      await new Promise(setImmediate)
    },
  })
  const app = Fastify()
  registerMetrics(app, metrics, { token: undefined })
  const replies = await Promise.all(Array.from({ length: 50 }, () => app.inject('/metrics')))
  expect(new Set(replies.map(({ statusCode }) => statusCode))).toEqual(new Set([200]))
  expect(readings).toBe(1)
  await app.inject('/metrics')
  expect(readings).toBe(2)
  await app.close()
})
