import { expect, it } from '@jest/globals'
import { parseUrl } from './parse-url.ts'

it.each([
  ['https://bücher.example/ännchen.png', 'xn--bcher-kva.example'],
  ['https://example.com/é?ü#ß', 'example.com'],
  ['https://例え.jp/', 'xn--r8jz45g.jp'],
  ['not a URL', undefined],
  ['https://', undefined],
  ['http://a b/', undefined],
])('says of %s the same however often it is asked', (text, hostname) => {
  const said = new Set(Array.from({ length: 20_000 }, () => parseUrl(text)?.hostname))
  expect([...said]).toEqual([hostname])
})
