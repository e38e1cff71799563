// Another API on the engine alone: a shop with shelves and products. Start as many as you like:
//
//   DATABASE_URL=postgres://… REDIS_URL=redis://… node examples/shop.mjs
//
// It has its own tables, its own SQL and plain graphql-js. From Stet it takes two doors: the cache, and what keeps it right.
import { createServer } from 'node:http'
import { buildSchema, graphql } from 'graphql'
import { Redis } from 'ioredis'
import pg from 'pg'
import { anyWriteTag, Cache, columnTag, Ledger, RedisTier, rowTag } from 'stet/cache'
import { Follower, installStet, Log, NotifyLoudspeaker, RedisLoudspeaker } from 'stet/invalidation'

const { DATABASE_URL, REDIS_URL, PORT = '0' } = process.env
const warn = (error) => console.error(error.message)

// 1. The tables, and the one line each that makes their changes reach the log.
const pool = new pg.Pool({ connectionString: DATABASE_URL })
await installStet(pool)
await pool.query(`
  select pg_advisory_xact_lock(1);
  create table if not exists shelves (id int primary key, name text not null);
  create table if not exists products (id int primary key, shelf_id int not null references shelves, name text not null, price int not null);
  insert into shelves values (1, 'Tea'), (2, 'Jam') on conflict do nothing;
  insert into products values (1, 1, 'Assam', 450), (2, 1, 'Sencha', 520), (3, 2, 'Quince', 380) on conflict do nothing;
  select stet.watch('shelves', 'id');
  select stet.watch('products', 'id', '{shelf_id}')`)

// 2. A ledger that follows the log, and tells the other processes.
const redis = new Redis(REDIS_URL, { enableOfflineQueue: false, commandTimeout: 200, maxRetriesPerRequest: 0 }).on(
  'error',
  warn,
)
const subscriber = new Redis(REDIS_URL).on('error', warn)
const ledger = new Ledger()
const follower = new Follower({
  log: new Log(pool),
  ledger,
  loudspeakers: [
    new RedisLoudspeaker({ publisher: redis, subscriber, channel: 'shop:log', onError: warn }),
    new NotifyLoudspeaker({ connect: () => new pg.Client({ connectionString: DATABASE_URL }), onError: warn }),
  ],
})
await follower.start()

// 3. Kinds of entries: how each is read, and what it depends on. `stet.as_of` says as of when, in the same statement.
const cache = new Cache({
  ledger,
  settle: () => follower.settle(),
  remote: new RedisTier({ redis, subscriber, channel: 'shop:leases', leasePrefix: 'shop:lease:', onError: warn }),
  namespace: 'shop:',
})

async function read(text, keys) {
  const { rows } = await pool.query(`select as_of.*, read.* from stet.as_of left join (${text}) as read on true`, [
    keys,
  ])
  return { asOf: Number(rows[0].position), unsettled: rows[0].unsettled, rows: rows.filter((row) => row.id !== null) }
}

const products = cache.kind({
  name: 'product',
  ttlMs: 60_000,
  key: String,
  tags: (id) => [rowTag('products', id)],
  load: async (ids) => {
    const { rows, ...asOf } = await read('select id, name, price from products where id = any($1)', ids)
    return { ...asOf, values: ids.map((id) => rows.find((row) => row.id === id)) }
  },
})

const productIds = cache.kind({
  name: 'shelf-products',
  ttlMs: 60_000,
  key: String,
  tags: (shelf) => [columnTag('products', 'shelf_id', shelf)],
  load: async (shelves) => {
    const { rows, ...asOf } = await read('select id, shelf_id from products where shelf_id = any($1)', shelves)
    return {
      ...asOf,
      values: shelves.map((shelf) => rows.filter((row) => row.shelf_id === shelf).map((row) => row.id)),
    }
  },
})

/** Any function can be cached, if it reads the primary. */
const stockValue = cache.wrap(
  async (shelf) =>
    Number((await pool.query('select sum(price) from products where shelf_id = $1', [shelf])).rows[0].sum),
  { name: 'stock-value', ttlMs: 60_000, key: String, tags: () => [anyWriteTag('products')] },
)

// 4. GraphQL over HTTP, as anywhere. A mutation answers once its write is in every judgement made here.
const schema = buildSchema(`
  type Product { id: Int! name: String! price: Int! }
  type Query { product(id: Int!): Product shelf(id: Int!): [Product!]! stockValue(shelf: Int!): Int! }
  type Mutation { setPrice(id: Int!, price: Int!): Product moveProduct(id: Int!, shelf: Int!): Product }`)

async function write(text, values) {
  await pool.query(text, values)
  await follower.settle()
  return products.get(values[0])
}

const rootValue = {
  product: ({ id }) => products.get(id),
  shelf: async ({ id }) => products.getMany((await productIds.get(id)) ?? []),
  stockValue: ({ shelf }) => stockValue(shelf),
  setPrice: ({ id, price }) => write('update products set price = $2 where id = $1', [id, price]),
  moveProduct: ({ id, shelf }) => write('update products set shelf_id = $2 where id = $1', [id, shelf]),
}

const server = createServer(async (request, response) => {
  const source = (await request.setEncoding('utf8').toArray()).join('')
  const result = await graphql({ schema, source, rootValue })
  response.setHeader('content-type', 'application/json').end(JSON.stringify(result))
})
server.listen(Number(PORT), '127.0.0.1', () => console.log(`http://127.0.0.1:${server.address().port}`))

// 5. Other processes may wait for what this one loads: before it stops, it gives back its leases.
process.once('SIGTERM', async () => {
  await cache.close(5000)
  process.exit()
})
