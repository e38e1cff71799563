import { hash } from 'node:crypto'
import { expect, it } from '@jest/globals'
import { Cache, Ledger } from '../../cache/index.ts'
import { PersistedQueries } from './persisted-queries.ts'

it('takes up no more room than it is allowed, whoever makes documents up', async () => {
  const persisted = openPersistedQueries()
  const texts = Array.from({ length: 300 }, (_, index) => `{ viewer { id } } # ${index} `.padEnd(60 * 1024, '.'))
  for (const text of texts) await persisted.keep(sha256(text), text)
  const kept = await Promise.all(texts.map((text) => persisted.find(sha256(text))))
  const bytes = kept.reduce((sum, text = '') => sum + text.length, 0)
  expect(bytes).toBeGreaterThan(15 * 1024 * 1024)
  expect(bytes).toBeLessThanOrEqual(16 * 1024 * 1024)
})

it('lets what is known already be told again and again', async () => {
  const persisted = openPersistedQueries()
  const again = '{ viewer { id } }'.padEnd(60 * 1024)
  for (let times = 0; times < 300; times++) await persisted.keep(sha256(again), again)
  const another = '{ viewer { id } } # another'
  await persisted.keep(sha256(another), another)
  expect(await persisted.find(sha256(another))).toBe(another)
})

it('does not remember that a document is not known', async () => {
  const persisted = openPersistedQueries()
  const text = '{ viewer { id } }'
  const asked = [persisted.find(sha256(text)), persisted.find(sha256(text))]
  const told = persisted.keep(sha256(text), text)
  expect(await Promise.all(asked)).toEqual([undefined, undefined])
  await told
  expect(await persisted.find(sha256(text))).toBe(text)
})

function openPersistedQueries(): PersistedQueries {
  const ledger = new Ledger()
  ledger.restart('an epoch', 0)
  return new PersistedQueries(new Cache({ ledger, settle: async () => {} }))
}

const sha256 = (text: string): string => hash('sha256', text)
