import { expect, it } from '@jest/globals'
import { cdnPolicyOf } from './cdn-policy.ts'
import { lifetimeLines } from './reply.ts'

/** An answer that was stored so many seconds ago. */
const answer = (age: number, lifetime = 300) => {
  const storedAtMs = Date.now() - age * 1000
  return { storedAtMs, staleAtMs: storedAtMs + lifetime * 1000 }
}
const linesOf = (text: string) => text.trim().split('\r\n')

it.each([
  [0, 300],
  [10, 290],
  [299.5, 1],
  [300, 0],
  [4000, 0],
])('tells nginx what is left of an answer that is %d s old', (age, left) => {
  const shown = Math.min(300, Math.floor(age))
  expect(linesOf(lifetimeLines(answer(age), false, undefined))).toEqual([
    'cache-control: public, max-age=300',
    `x-accel-expires: ${left}`,
    `age: ${shown}`,
  ])
})

it.each([
  ['a new answer', 0, 60, 60],
  ['one that the node kept for longer than a CDN may', 200, 60, 260],
  ['one whose life ends before', 290, 60, 300],
  ['one whose life is over', 300, 60, 300],
  ['any, if a CDN may keep none', 100, 0, 100],
  ['one that lives for less', 0, 86_400, 300],
])('lets a CDN keep %s for CDN_MAX_AGE from now on, and not beyond its life', (_what, age, maxAge, shared) => {
  const [control, targeted, nginx, aged] = linesOf(
    lifetimeLines(answer(age), false, { maxAge, staleWhileRevalidate: 0, staleIfError: 0 }),
  )
  expect(control).toBe(`cache-control: public, max-age=300, s-maxage=${shared}`)
  expect(targeted).toBe(`cdn-cache-control: max-age=${shared}`)
  expect([nginx, aged]).toEqual([`x-accel-expires: ${shared - age}`, `age: ${age}`])
})

it.each([
  [{ maxAgeMs: 120_000, graceMs: 60_000, ifErrorMs: 3_600_000 }, ', stale-while-revalidate=60, stale-if-error=3600'],
  [{ maxAgeMs: 10_000, graceMs: 60_000, ifErrorMs: 3_600_000 }, ', stale-while-revalidate=10, stale-if-error=3600'],
  [{ maxAgeMs: 0, graceMs: 60_000, ifErrorMs: 3_600_000 }, ', stale-if-error=3600'],
  [{ maxAgeMs: 10_000, graceMs: 0, ifErrorMs: 0 }, ''],
  [{ maxAgeMs: 10_900, graceMs: 900, ifErrorMs: 1_999 }, ', stale-if-error=1'],
])(
  'lets a CDN give no stale answer for longer than this node would: %j',
  ({ maxAgeMs, graceMs, ifErrorMs }, expected) => {
    const [, targeted] = linesOf(lifetimeLines(answer(0), false, cdnPolicyOf(maxAgeMs, graceMs, ifErrorMs)))
    expect(targeted?.replace(/^cdn-cache-control: max-age=\d+/, '')).toBe(expected)
  },
)

it('says of a stale answer that it is fresh nowhere, to a CDN as to a browser', () => {
  for (const cdn of [undefined, cdnPolicyOf(60_000, 60_000, 60_000)]) {
    expect(linesOf(lifetimeLines(answer(330), true, cdn))).toEqual([
      'cache-control: public, max-age=0',
      'x-accel-expires: 0',
      'age: 330',
    ])
  }
})
