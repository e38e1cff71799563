import { describe, expect, it } from '@jest/globals'
import { Registry } from 'prom-client'
import { AnswerCounter } from './hot-counters.ts'

const counted = async (answered: readonly Parameters<AnswerCounter['add']>[0][]) => {
  const registry = new Registry()
  const counter = new AnswerCounter(registry)
  for (const one of answered) counter.add(one)
  return (await registry.metrics()).split('\n').filter((line) => line !== '' && !line.startsWith('# HELP'))
}

const query = { operation: 'query', word: 'HIT', whole: 'hit' } as const

describe('AnswerCounter', () => {
  it('counts how many answers took how long, in cumulative buckets', async () => {
    const lines = await counted([0.0004, 0.0005, 0.003, 7].map((seconds) => ({ ...query, seconds })))
    const bucket = (le: string) =>
      lines.find((line) => line.includes(`_bucket{operation="query",cache="hit",le="${le}"}`))
    expect(['0.0005', '0.001', '0.0025', '0.005', '5', '+Inf'].map((le) => bucket(le)?.split(' ').at(-1))).toEqual([
      '2',
      '2',
      '2',
      '3',
      '3',
      '4',
    ])
    expect(lines).toContain('# TYPE stet_graphql_request_seconds histogram')
    expect(lines).toContain('stet_graphql_request_seconds_sum{operation="query",cache="hit"} 7.0039')
    expect(lines).toContain('stet_graphql_request_seconds_count{operation="query",cache="hit"} 4')
  })

  it('counts by operation, by where answers came from, and by whether they were cached', async () => {
    const lines = await counted([
      { ...query, seconds: 0 },
      { ...query, whole: 'uncached', seconds: 0 },
      { ...query, word: 'MISS', whole: 'miss', seconds: 0 },
      { operation: 'mutation', word: 'BYPASS', whole: 'uncached', seconds: 0 },
    ])
    expect(lines.filter((line) => line.includes('_count'))).toEqual([
      'stet_graphql_request_seconds_count{operation="query",cache="hit"} 2',
      'stet_graphql_request_seconds_count{operation="query",cache="miss"} 1',
      'stet_graphql_request_seconds_count{operation="mutation",cache="bypass"} 1',
    ])
    expect(lines.filter((line) => line.startsWith('stet_response_cache_total'))).toEqual([
      'stet_response_cache_total{result="hit"} 1',
      'stet_response_cache_total{result="miss"} 1',
      'stet_response_cache_total{result="uncached"} 2',
    ])
  })
})
