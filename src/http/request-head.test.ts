import { expect, it } from '@jest/globals'
import { isGraphQL, isHeld, isHost } from './request-head.ts'

it.each([
  '/graphql',
  '/graphql?query={a}',
  '/%67raphql',
  '/%67%72%61%70%68%71%6C?query={a}',
  'http://host/graphql',
  'HTTPS://host:4000/graphql?query={a}',
  '/graphql#fragment',
])('knows %s as /graphql', (target) => expect(isGraphQL(target)).toBe(true))

it.each([
  '/',
  '/graphiql',
  '/graphql/',
  '//graphql',
  '/GraphQL',
  '/graphqlx',
  '/%2567raphql',
  '/%',
  '/graphql%00',
  'http://host/other?/graphql',
  'ftp://host/graphql',
  '*',
])('knows %s as another path', (target) => expect(isGraphQL(target)).toBe(false))

it('knows a host by whether it can stand in a URL', () => {
  for (const host of ['localhost', 'localhost:4000', '[::1]:4000', 'a.example']) expect(isHost(host)).toBe(true)
  for (const host of ['[', 'two words', 'a:b:c']) expect(isHost(host)).toBe(false)
})

it('finds an entity tag among those that a client holds, weak or not', () => {
  for (const held of ['"a"', 'W/"a"', '"b", "a"', ' * ']) expect(isHeld(held, '"a"')).toBe(true)
  for (const held of ['', 'a', '"A"', '"b", *']) expect(isHeld(held, '"a"')).toBe(false)
})
