import { expect, it } from '@jest/globals'
import fc from 'fast-check'
import { Redis } from 'ioredis'
import { getTestRun, reservePort, startRedis } from '../../test/harness/index.ts'
import { keySlot } from './key-slot.ts'

it('puts every key into the slot that Redis puts it into', async () => {
  // Else it is 10,000 beyond the other port, where a connection of somebody else's may have it.
  const busPort = await reservePort(getTestRun().directory)
  const server = await startRedis({ args: ['--cluster-enabled', 'yes', '--cluster-port', String(busPort)] })
  const redis = new Redis(server.url)
  const key = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 80 }),
    fc.array(fc.constantFrom('{', '}', 'a', 'é'), { maxLength: 9 }).map((parts) => parts.join('')),
  )
  await fc.assert(
    fc.asyncProperty(key, async (text) => {
      expect(keySlot(text)).toBe(await redis.cluster('KEYSLOT', text))
    }),
    { numRuns: 500 },
  )
  redis.disconnect()
  await server.stop()
})
