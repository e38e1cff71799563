import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { expect, it } from '@jest/globals'
import { eventually, sharedServers } from '../harness/index.ts'
import { use, useDatabase } from '../harness/use.ts'

/** `examples/shop.mjs`, as it stands: three processes that share PostgreSQL and Redis. */
const database = await useDatabase()
const shops = await Promise.all([startShop(), startShop(), startShop()])
for (const shop of shops) use(shop, () => shop.stop())

const everything = '{ product(id: 1) { name price } shelf(id: 1) { name } stockValue(shelf: 1) }'

it('serves another API from other tables, fresh on every process after each write', async () => {
  const [first, ...others] = shops.map(({ url }) => url)
  if (!first) throw new Error('No shop started.')
  const before = {
    product: { name: 'Assam', price: 450 },
    shelf: [{ name: 'Assam' }, { name: 'Sencha' }],
    stockValue: 970,
  }
  for (const { url } of shops) expect(await ask(url, everything)).toEqual(before)

  const written = await ask(
    first,
    'mutation { setPrice(id: 1, price: 9) { price } moveProduct(id: 2, shelf: 2) { id } }',
  )
  expect(written).toEqual({ setPrice: { price: 9 }, moveProduct: { id: 2 } })

  const after = { product: { name: 'Assam', price: 9 }, shelf: [{ name: 'Assam' }], stockValue: 9 }
  expect(await ask(first, everything)).toEqual(after)
  for (const url of others) await eventually(async () => expect(await ask(url, everything)).toEqual(after))
})

async function startShop() {
  const child = spawn(process.execPath, ['examples/shop.mjs'], {
    env: { ...process.env, DATABASE_URL: database.url, REDIS_URL: sharedServers().redisUrl },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const [line] = await Promise.race([once(child.stdout, 'data'), once(child, 'exit').then(() => ['it exited'])])
  const url = String(line).trim()
  if (!url.startsWith('http')) throw new Error(`The shop did not start: ${url}`)
  return {
    url,
    stop: () => {
      child.kill()
      return once(child, 'exit')
    },
  }
}

async function ask(url: string, query: string): Promise<unknown> {
  const answer = (await (await fetch(url, { method: 'POST', body: query })).json()) as {
    data: unknown
    errors?: unknown
  }
  expect(answer.errors).toBeUndefined()
  return answer.data
}
