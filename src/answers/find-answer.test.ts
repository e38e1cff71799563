import { setImmediate as turn } from 'node:timers/promises'
import { HeaderMap } from '@apollo/server'
import { expect, it } from '@jest/globals'
import { TinyProcess } from '../../test/models/tiny-process.ts'
import { TinyRemote } from '../../test/models/tiny-remote.ts'
import { ApolloRequest, canonicalKeyOf, type Operation } from '../graphql/operation/index.ts'
import { visitor } from '../identity/index.ts'
import { AnswerFinder, answerMaker } from './find-answer.ts'
import { answerKey, KeptAnswers } from './kept-answers.ts'
import { writeOnce } from './written-answer.ts'

it('makes an answer that was kept nowhere when its client has its turn, and not before', async () => {
  const { cache } = new TinyProcess()
  const kept = new KeptAnswers({ cache, madeBy: 'this test', adminsShare: false })
  const steps: string[] = []
  const finder = new AnswerFinder(kept, async () => {
    steps.push('made')
    throw new Error('It is made.')
  })
  let goOn = () => {}
  const asking = {
    ...ASKING,
    goOn: () => {
      steps.push('waits')
      return new Promise<void>((resolve) => {
        goOn = resolve
      })
    },
  }
  const options = { rawKey: undefined, isCacheable: false, mayKeep: true }
  const found = expect(finder.find({ question: questionFor(), asking, ...options })).rejects.toThrow('It is made.')
  await turn()
  expect(steps).toEqual(['waits'])
  goOn()
  await found
  expect(steps).toEqual(['waits', 'made'])
})

it.each([
  [100, 0],
  [300_000, 1],
])('sends an answer of %i characters after %i more turns', async (length, turns) => {
  let waits = 0
  const goOn = async () => {
    waits++
  }
  const { cache, ledger } = new TinyProcess()
  const body = { kind: 'complete' as const, string: 'x'.repeat(length) }
  const api = { answer: async () => ({ body, headers: new HeaderMap() }) }
  const make = answerMaker({ api, cache, ledger, database: undefined, follower: undefined } as never)
  expect((await make({ http: HTTP, runnable: undefined }, { ...ASKING, goOn })).response.body).toBe(body)
  expect(waits).toBe(turns)
})

it.each([
  [100, 0],
  [300_000, 1],
])('gives an answer of %i characters that others made after %i turns', async (length, turns) => {
  const { cache, ledger } = new TinyProcess()
  const kept = new KeptAnswers({ cache, madeBy: 'this test', adminsShare: false })
  const answer = writeOnce('x'.repeat(length))
  const key = answerKey(canonicalKeyOf(questionFor().runnable), visitor)
  const run = async () => ({ answer, asOf: ledger.seen, epoch: ledger.epoch, tags: [], ttlMs: 1000 })
  await kept.get({ key, isWorthKeeping: true, run }, { position: 0, bypass: false })
  const finder = new AnswerFinder(kept, () => Promise.reject(new Error('It is made.')))
  let waits = 0
  const goOn = async () => {
    waits++
  }
  const asking = { ...ASKING, goOn }
  const options = { question: questionFor(), asking, rawKey: undefined, isCacheable: false, mayKeep: true }
  expect((await finder.find(options)).obtained?.entry.value).toEqual(answer)
  expect(waits).toBe(turns)
})

it('takes a lease on an answer that it keeps, and on no other', async () => {
  const remote = new TinyRemote()
  const { cache } = new TinyProcess({ remote, defaults: { leaseMs: 1000 } })
  const kept = new KeptAnswers({ cache, madeBy: 'this test', adminsShare: false })
  const leases: number[] = []
  const finder = new AnswerFinder(kept, async () => {
    leases.push(remote.leases.size)
    throw new Error('It is made.')
  })
  const options = { question: questionFor(), asking: ASKING, rawKey: undefined, isCacheable: false }
  await expect(finder.find({ ...options, mayKeep: true })).rejects.toThrow('It is made.')
  // From the second time on that it is asked for.
  await expect(finder.find({ ...options, mayKeep: true })).rejects.toThrow('It is made.')
  await expect(finder.find({ ...options, mayKeep: false })).rejects.toThrow('It is made.')
  expect(leases).toEqual([0, 1, 0])
})

const ASKING = { viewer: visitor, position: 0, bypass: false, unsure: false, requestId: 'one', address: '192.0.2.1' }

const HTTP = new ApolloRequest({ method: 'POST', url: '/graphql', headers: {} }, {})

const questionFor = () => ({
  http: HTTP,
  runnable: { operation: OPERATION, operationName: undefined, variables: undefined, mediaType: 'application/json' },
})

const OPERATION: Operation = {
  type: 'query',
  text: '{ tags { totalCount } }',
  maxAge: 60,
  isPrivate: false,
  decidedBy: { maxAge: undefined, scope: undefined },
  document: undefined,
  learnt: {},
}
