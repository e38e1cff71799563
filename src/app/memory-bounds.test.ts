import { expect, it } from '@jest/globals'
import { readConfig } from './config.ts'
import { memoryBounds } from './memory-bounds.ts'

const MB = 1024 * 1024

it.each([
  ['a large machine', { heap: 4144, whole: 24_000 }, { entries: 64, documents: 38.4, bodies: 64, unread: 256 }],
  ['a container of 2 GB', { heap: 1048, whole: 2048 }, { entries: 64, documents: 38.4, bodies: 64, unread: 256 }],
  ['a container of 512 MB', { heap: 368, whole: 512 }, { entries: 64, documents: 27.6, bodies: 26.7, unread: 53.3 }],
  [
    'the same, with the heap that Node gives it',
    { heap: 259, whole: 512 },
    { entries: 51.8, documents: 19.4, bodies: 63, unread: 126 },
  ],
  ['a heap of 180 MB', { heap: 180, whole: 512 }, { entries: 36, documents: 13.5, bodies: 64, unread: 178.7 }],
])('shares out the memory of %s, and nothing is too much', (_what, { heap, whole }, expected) => {
  const { plannedFields, operations, warnings, mostEntries, ...bounds } = memoryBounds(readConfig({}), {
    heap: heap * MB,
    whole: whole * MB,
  })
  const inMb = Object.entries(bounds).map(([name, bytes]) => [name, Math.round((bytes / MB) * 10) / 10])
  expect(Object.fromEntries(inMb)).toEqual(expected)
  expect(warnings).toEqual([])
  expect(bounds.entries).toBeLessThanOrEqual(mostEntries)
  expect(bounds.entries + bounds.documents + operations + plannedFields * 770).toBeLessThan((heap * MB) / 3)
})

it.each([
  [{ CACHE_MEMORY_MAX_MB: '256' }, 'CACHE_MEMORY_MAX_MB is 256, but a heap of 368 MB has room for 155'],
  [{ ANSWER_MAX_MB_UNREAD: '256' }, '256 MB of answers (ANSWER_MAX_MB_UNREAD) may together take more than the 512 MB'],
  [{ REQUEST_MAX_MB_IN_FLIGHT: '200' }, '200 MB of requests (REQUEST_MAX_MB_IN_FLIGHT) and 53 MB of answers'],
])('warns of %j in a container of 512 MB, and does as it is told', (environment, warning) => {
  const { entries, bodies, unread, warnings } = memoryBounds(readConfig(environment), {
    heap: 368 * MB,
    whole: 512 * MB,
  })
  expect(warnings).toEqual([expect.stringContaining(warning)])
  expect([entries, bodies, unread]).toContain(Number(Object.values(environment)[0]) * MB)
})

it('warns of a heap that leaves nothing of the container', () => {
  const { bodies, unread, warnings } = memoryBounds(readConfig({}), { heap: 460 * MB, whole: 512 * MB })
  expect([bodies / MB, unread / MB]).toEqual([8, 8])
  expect(warnings).toEqual([expect.stringContaining('may together take more than the 512 MB there are')])
})

it('warns of a heap that is too small for anything', () => {
  expect(memoryBounds(readConfig({}), { heap: 110 * MB, whole: 512 * MB }).warnings).toEqual([
    expect.stringContaining('A heap of 110 MB is too small'),
  ])
})

it('shares out what this process has', () => {
  expect(memoryBounds(readConfig({ CACHE_MEMORY_MAX_MB: '1' }))).toMatchObject({
    entries: MB,
    documents: expect.any(Number),
  })
})
