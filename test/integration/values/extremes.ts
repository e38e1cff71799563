import type { Dice } from '../oracle/dice.ts'

/** What a column may be given, as PostgreSQL reads it. Some of it is refused. */
type Extremes = readonly (string | null)[]

const INSTANTS: Extremes = [
  'infinity',
  '-infinity',
  '4713-01-01 12:00:00+00 BC',
  '0001-12-31 23:59:59.999999+00 BC',
  '0001-01-01T00:00:00Z',
  '0001-01-01T00:00:00.000001Z',
  '0001-01-01T00:00:00+14:00',
  '0099-02-03T04:05:06.789012Z',
  '1883-11-18T12:03:58-05:00',
  '1969-12-31T23:59:59.999999Z',
  '1970-01-01T00:00:00Z',
  '2024-02-29T23:59:59.999500+05:45',
  '2038-01-19T03:14:08Z',
  '2106-02-07T06:28:16Z',
  '9999-12-31T23:59:59.999999Z',
  '9999-12-31T23:59:59.9999999Z',
  '9999-12-31T23:59:59-12:00',
  '10000-01-01T00:00:00Z',
  '294276-12-31T23:59:59Z',
]

const IDS: Extremes = [
  '-9223372036854775808',
  '-1',
  '0',
  '2147483647',
  '2147483648',
  '9007199254740990',
  '9007199254740991',
  '9007199254740992',
  '9007199254740993',
  '9223372036854775807',
]

const COUNTS: Extremes = [
  ...['-9223372036854775808', '-1', '0', '1', '2147483646', '2147483647', '2147483648'],
  ...['9007199254740991', '9007199254740993', '9223372036854775807'],
]

const VERSIONS: Extremes = ['-2147483648', '-1', '0', '1', '2147483647', '2147483648']

/** Texts of up to `max` characters, and one more. */
const texts = (max: number): Extremes => [
  '',
  ' ',
  'x',
  'a\u0000b',
  'x'.repeat(max),
  'x'.repeat(max + 1),
  '\u{10FFFF}'.repeat(max),
  '\u{1F600}'.repeat(max + 1),
  'İ'.repeat(max),
  ' edges ',
  '\uFEFFmarked\uFEFF',
  'lines\r\n\u0085\u2028\u2029of\ttext',
  '\u0001\u001b[31m\u007f\u009f',
  '"\'\\{}[]$1%s&<script>`;--',
  '\u202eright\u2066to\u200bleft',
  'cafe\u0301 café ﬃ ǅ',
  '\uFFFD\uFFFE\uFFFF\uE000',
  'null',
  '1e5',
]

const slugs = (max: number): Extremes => [
  '',
  'a',
  '0',
  '0x1f',
  'null',
  '-a',
  'a--b',
  'é',
  'A',
  'a\n',
  'a'.repeat(max),
  'z'.repeat(max + 1),
]

/** For each table the columns that a row may have, and what to try in each. Text that must be unique is told apart by `distinct`. */
export const EXTREMES = {
  users: {
    id: IDS,
    username: ['', 'a', '_', '0', '0_-', 'é', 'a\n', 'A', 'u'.repeat(39), 'u'.repeat(40)],
    display_name: texts(100),
    email: [
      '',
      '@',
      'a@b',
      'a b@c',
      '\uFEFFmarked@example.com',
      'é@ü',
      '"x\\"@y',
      `${'e'.repeat(242)}@example.com`,
      `${'e'.repeat(250)}@example.com`,
    ],
    bio: texts(2000),
    avatar_url: [
      null,
      '',
      'https://',
      'http://a',
      'https://example.com/a b',
      'https://example.com/\u202e',
      `https://example.com/${'a'.repeat(1980)}`,
      'ftp://a',
      ' https://example.com/',
    ],
    role: ['AUTHOR', 'ADMIN', 'admin', ''],
    created_at: INSTANTS,
  },
  tags: { id: IDS, slug: slugs(100), name: texts(100), description: texts(2000) },
  articles: {
    id: IDS,
    slug: slugs(200),
    title: texts(300),
    summary: texts(2000),
    body: texts(500_000),
    published_at: [null, ...INSTANTS],
    created_at: INSTANTS,
    updated_at: INSTANTS,
    version: VERSIONS,
  },
  article_stats: { views: COUNTS, ranked_views: COUNTS },
} as const satisfies Readonly<Record<string, Readonly<Record<string, Extremes>>>>

export type Row = Readonly<Record<string, string | null>>

/** A row with an ordinary value in every column that needs one. */
const ordinary: Readonly<Record<'users' | 'tags' | 'articles', (n: number) => Row>> = {
  users: (n) => ({ username: `user-${n}`, display_name: `User ${n}`, email: `user-${n}@example.com` }),
  tags: (n) => ({ slug: `tag-${n}`, name: `Tag ${n}` }),
  articles: (n) => ({
    slug: `article-${n}`,
    title: `Article ${n}`,
    body: `Body ${n}.`,
    published_at: '2024-01-31T12:00:00Z',
  }),
}

/** First every extreme of every column in a row that is ordinary otherwise, then `more` rows of any extremes at once. */
export function* rowsOf(table: keyof typeof ordinary, dice: Dice, more: number): Generator<Row> {
  const columns = Object.entries<Extremes>(EXTREMES[table])
  let n = 0
  for (const [column, values] of columns) for (const value of values) yield { ...ordinary[table](++n), [column]: value }
  for (let i = 0; i < more; i++) {
    // Bodies of half a million characters are slow to index, and one of each is enough.
    const some = dice.some(columns.filter(([column]) => column !== 'body'))
    const chosen = some.map(([column, values]) => [column, dice.pick(values)] as const)
    yield { ...ordinary[table](++n), ...Object.fromEntries(chosen) }
  }
}
