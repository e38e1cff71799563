import { expect, it } from '@jest/globals'
import { hideCredentials } from './hide-credentials.ts'

it.each([
  ['postgres://ann:hunter2@db:5432/stet', 'postgres://(secret)@db:5432/stet'],
  ['redis://:hunter2@redis', 'redis://(secret)@redis'],
  ['redis://ann@redis', 'redis://(secret)@redis'],
  ['redis://ann:hun@ter2@redis/0', 'redis://(secret)@redis/0'],
  ['a rediss://a:hunter2@one, b rediss://b:hunter2@two', 'a rediss://(secret)@one, b rediss://(secret)@two'],
  ['postgres://db/stet?password=hunter2&sslmode=require', 'postgres://db/stet?password=(secret)&sslmode=require'],
])('hides user and password in the URLs of a text: %s', (text, expected) => {
  expect(hideCredentials(text)).toBe(expected)
})

it.each(['postgres://db:5432/stet', 'one:6379,two:6379', 'ann@example.com', 'https://example.com/@ann?passage=2', ''])(
  'hides nothing else: %s',
  (text) => expect(hideCredentials(text)).toBe(text),
)
