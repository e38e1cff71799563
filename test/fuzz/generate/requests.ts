import { createHash } from 'node:crypto'
import type { GraphQLSchema } from 'graphql'
import { type Draft, type Marks, writeDraft } from '../../api/alike/odd-request.ts'
import { ODDITIES } from '../../api/alike/oddities.ts'
import { Dice } from '../../integration/oracle/dice.ts'
import { makeDocument } from './documents.ts'
import { mutateText } from './mutate-text.ts'
import { type KnownValues, ValueMaker } from './values.ts'

export interface FuzzWorld {
  readonly schema: GraphQLSchema
  readonly known: KnownValues
  readonly marks: Marks
  /** Bearer tokens of all kinds of viewers, by name. That of a visitor is empty. */
  readonly tokens: Readonly<Record<string, string>>
}

export interface FuzzRequest {
  readonly bytes: Buffer
  readonly isHead: boolean
  /** It may be incomplete: the server then waits for the rest of it, and rightly so. */
  readonly mayWait: boolean
}

/** The `n`-th request of a seed: always the same, whichever were made before. */
export function makeRequest(world: FuzzWorld, seed: number, n: number): FuzzRequest {
  const dice = new Dice(Math.imul(seed + 1, 0x9e3779b1) + n)
  const draft = makeDraft(world, dice)
  const written = writeDraft(draft)
  if (dice.chance(4)) return { bytes: breakBytes(dice, written.bytes), isHead: false, mayWait: true }
  const mayWait = ['content-length', 'transfer-encoding', 'expect', 'connection'].some((name) =>
    draft.headers.has(name),
  )
  return { bytes: written.bytes, isHead: written.isHead ?? false, mayWait: mayWait || draft.method === 'CONNECT' }
}

function makeDraft({ schema, known, marks, tokens }: FuzzWorld, dice: Dice): Draft {
  const { query, variables, operationName } = makeDocument(schema, dice, new ValueMaker(dice, known))
  const asked: Record<string, unknown> = { query, variables, operationName }
  if (dice.chance(8)) {
    asked.extensions = { persistedQuery: { version: 1, sha256Hash: createHash('sha256').update(query).digest('hex') } }
    if (dice.chance(50)) delete asked.query
  }
  const isPost = dice.chance(65)
  const body = JSON.stringify(asked)
  const draft: Draft = {
    marks,
    // Oddities encode it, which half a character can't be.
    question: Buffer.from(query).toString(),
    method: isPost ? 'POST' : dice.chance(90) ? 'GET' : 'HEAD',
    path: '/graphql',
    search: isPost ? '' : searchOf(asked),
    version: 'HTTP/1.1',
    headers: new Map([
      ['host', 'Host: test'],
      ...(isPost ? [['content-type', 'Content-Type: application/json'] as const] : []),
    ]),
    body: !isPost ? undefined : dice.chance(12) ? mutateText(dice, body) : dice.chance(3) ? dice.pick(BODIES) : body,
    isChunked: isPost && dice.chance(10),
    isPipelined: false,
  }
  const token = dice.chance(4) ? tokens.deleted : tokens[dice.pick(ROLES)]
  if (token) {
    const told = dice.chance(95) ? token : mutateText(dice, token).replace(/[^\t\x20-\x7e]/g, '')
    draft.headers.set('authorization', `Authorization: Bearer ${told}`)
  }
  for (const [name, valuesOf] of Object.entries(HEADERS)) {
    if (dice.chance(6))
      draft.headers.set(name, `${name}: ${dice.chance(70) ? dice.pick(valuesOf(marks)) : noise(dice)}`)
  }
  const oddities = dice.chance(65) ? 0 : 1 + dice.below(2)
  for (let left = oddities; left > 0; left--) dice.pick(ODDITIES).apply(draft)
  return draft
}

const ROLES = ['visitor', 'ann', 'bob', 'admin', 'demoted']

function searchOf(asked: Readonly<Record<string, unknown>>): string {
  const parameters = Object.entries(asked)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name}=${encode(typeof value === 'string' ? value : JSON.stringify(value))}`)
  return `?${parameters.join('&')}`
}

/** As `encodeURIComponent`, which throws for half a character. */
const encode = (text: string): string => encodeURIComponent(Buffer.from(text).toString())

const HEADERS: Readonly<Record<string, (marks: Marks) => readonly string[]>> = {
  accept: () => [
    'application/json',
    'application/graphql-response+json',
    '*/*',
    'text/html',
    'application/json;q=0',
    ','.repeat(2000),
  ],
  'accept-encoding': () => ['gzip', 'br', 'gzip;q=0.1, br', 'identity;q=0', '*;q=0', 'zstd'],
  'stet-as-of': ({ token }) => [
    token,
    `${token}0`,
    '0',
    '9'.repeat(300),
    '-1',
    token.replace(/^\d+/, '9007199254740993'),
    token.toUpperCase(),
  ],
  'if-none-match': () => ['*', '"x"', 'W/"x"', '"'.repeat(5000), '"a", '.repeat(500)],
  'cache-control': () => ['no-cache', 'no-store', 'max-age=0', 'only-if-cached', 'no-cache, '.repeat(300)],
  'stet-explain': () => ['1', '0', '', 'x', 'text'],
  'content-encoding': () => ['gzip', 'br', 'identity', 'deflate', 'x'],
  'x-request-id': () => ['a', 'x'.repeat(300), '<script>', ''],
  'x-forwarded-for': () => ['1.2.3.4', '::1', 'x', '1.2.3.4:80', ', ,', '::ffff:1.2.3.4', '1.2.3.4, '.repeat(300)],
  origin: () => ['null', 'https://evil.example', ''],
  cookie: () => ['a=b', '='.repeat(4000)],
}

/** An odd value of a header: any bytes except CR and LF, which would end it. */
const noise = (dice: Dice): string =>
  Array.from({ length: dice.below(30) }, () =>
    String.fromCharCode(dice.chance(90) ? 32 + dice.below(95) : 128 + dice.below(128)),
  ).join('')

const BODIES = [
  '[',
  '{'.repeat(10_000),
  '['.repeat(100_000),
  `{"query":"{__typename}","variables":${'{"a":'.repeat(5000)}1${'}'.repeat(5000)}}`,
  `{"query":"{__typename}","x":${'[1,'.repeat(30_000)}1${']'.repeat(30_000)}}`,
  `{"query":"{__typename}","variables":{"a":${'9'.repeat(5000)}}}`,
  `{"query":"{__typename}"${',"query":"{__typename}"'.repeat(1000)}}`,
  `{"query":"query($i:[ID!]!){nodes(ids:$i){id}}","variables":{"i":[${'null,'.repeat(20_000)}null]}}`,
  `{"query":"query($i:[ID!]!){nodes(ids:$i){id}}","variables":{"i":[${'"x",'.repeat(99)}"x"]}}`,
  JSON.stringify({ query: '{__typename}'.padEnd(140_000) }),
  `{"query":"{__typename}","operationName":"${'x'.repeat(100_000)}"}`,
  `{"query":"{__typename}","extensions":{"persistedQuery":{"version":1,"sha256Hash":"${'0'.repeat(64)}"}}}`,
]

/** Bytes that are hardly a request any more. */
function breakBytes(dice: Dice, bytes: Buffer): Buffer {
  const random = (length: number) => Buffer.from(Array.from({ length }, () => dice.below(256)))
  switch (dice.below(5)) {
    case 0:
      return random(1 + dice.below(300))
    case 1:
      return bytes.subarray(0, dice.below(bytes.length))
    case 2:
      return Buffer.concat([bytes, random(1 + dice.below(50))])
    case 3: {
      const broken = Buffer.from(bytes)
      for (let left = 1 + dice.below(4); left > 0; left--) broken[dice.below(broken.length)] = dice.below(256)
      return broken
    }
    default:
      return Buffer.from(mutateText(dice, bytes.toString('latin1')), 'latin1')
  }
}
