import { expect, it } from '@jest/globals'
import { Redis } from 'ioredis'
import { createRedisPrefix } from './create-redis-prefix.ts'
import { createTestDatabase } from './create-test-database.ts'
import { queryOnce } from './query-once.ts'
import { getTestRun } from './test-run.ts'

it('gives every test a database that is its own', async () => {
  const [one, other] = await Promise.all([createTestDatabase(), createTestDatabase()])
  await queryOnce(one.url, 'create table mine ()')
  expect(await queryOnce(other.url, `select to_regclass('mine') as found`)).toEqual([{ found: null }])
  await Promise.all([one.drop(), other.drop()])
  await expect(queryOnce(one.url, 'select 1')).rejects.toThrow('does not exist')
})

it('gives every test keys that are its own', async () => {
  const redis = new Redis(getTestRun().redisUrl)
  const [one, other] = [createRedisPrefix(), createRedisPrefix()]
  await redis.set(`${one}key`, 'mine')
  expect(await redis.get(`${other}key`)).toBeNull()
  expect(await redis.del(`${one}key`)).toBe(1)
  redis.disconnect()
})
