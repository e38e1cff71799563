import { expect, it } from '@jest/globals'
import { makeConnection } from './connection.ts'

const args = { first: 2 }
const order = { name: 'NEWEST', keyType: 'instant' } as const
const places = async () => ({ places: [1, 2].map((id) => ({ key: '0', id })), more: true })

it('lets a client go on past a page whose objects were all deleted meanwhile', async () => {
  const connection = makeConnection(args, {
    order,
    places,
    node: () => undefined,
    totalCount: async () => 4,
  })
  expect(await connection.nodes()).toEqual([])
  expect(await connection.edges()).toEqual([])
  const { hasNextPage, endCursor } = await connection.pageInfo()
  expect([hasNextPage, endCursor]).toEqual([true, expect.any(String)])
})

it('reads its places once, and nodes only if they are selected', async () => {
  const reads: string[] = []
  const connection = makeConnection(args, {
    order,
    places: () => {
      reads.push('places')
      return places()
    },
    node: async (id) => {
      reads.push(`node ${id}`)
      return id
    },
    totalCount: async () => 4,
  })
  await Promise.all([connection.pageInfo(), connection.pageInfo()])
  expect(reads).toEqual(['places'])
  await Promise.all([connection.nodes(), connection.edges(), connection.pageInfo()])
  expect(reads).toEqual(['places', 'node 1', 'node 2'])
})
