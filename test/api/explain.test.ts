import { expect, it, beforeAll, afterAll } from '@jest/globals'
import { createRedisPrefix, createTestDatabase, sharedServers, startTestNode, type TestDatabase, type TestNode } from '../harness/index.ts'
import { addContent } from './add-content.ts'
let database: TestDatabase
let node: TestNode
beforeAll(async () => {
  database = await createTestDatabase()
  node = await startTestNode({ databaseUrl: database.url, redisUrl: sharedServers().redisUrl, redisPrefix: createRedisPrefix() })
  await addContent(database.url)
})
afterAll(async () => { await node.close(); await database.drop() })
const explain = (query: string, headers = {}) => fetch(`${node.url}/graphql`, { method: 'POST', headers: { 'content-type': 'application/json', authorization: token, 'stet-explain': '1', ...headers }, body: JSON.stringify({ query }) }).then(r => r.json()) as Promise<any>
import { testToken } from '../harness/index.ts'
let token = ''
it('x', async () => {
  token = `Bearer ${await testToken('admin')}`
  const Q = '{ articles { nodes { title author { username } } } }'
  const a = await explain(Q)
  console.log(JSON.stringify(a, null, 1))
  await node.admin.get(Q)
  await node.admin.get('mutation { updateArticle(input: { id: "QXJ0aWNsZTox", title: "New" }) { article { id } } }').catch(e => console.log(String(e)))
  const b = await explain(Q)
  console.log(JSON.stringify(b.extensions, null, 1))
})
