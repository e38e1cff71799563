import { expect, it } from '@jest/globals'
import { readCacheWishes } from './request-head.ts'

it.each<[header: string | undefined, wishes: string]>([
  [undefined, ''],
  ['', ''],
  ['no-cache', 'fresh'],
  ['NO-CACHE', 'fresh'],
  ['max-age=0', 'fresh'],
  ['max-age="0"', 'fresh'],
  ['max-age=10, no-cache', 'fresh'],
  ['max-age=60', ''],
  ['max-age=-1', ''],
  ['max-age', ''],
  ['s-maxage=0', ''],
  ['no-store', 'unkept'],
  ['no-cache , no-store,max-age=0', 'fresh unkept'],
  ['only-if-cached', 'onlyIfCached'],
  ['only-if-cached, max-stale=60', 'onlyIfCached'],
  ['x-no-cache', ''],
  ['no-cachex', ''],
  ['extension="no-cache"', ''],
  ['no-transform, max-stale, min-fresh=1', ''],
  [',,;=', ''],
])('hears in %j: %s', (header, wishes) => {
  const heard = Object.entries(readCacheWishes(header)).filter(([, is]) => is)
  expect(heard.map(([name]) => name).join(' ')).toBe(wishes)
})
