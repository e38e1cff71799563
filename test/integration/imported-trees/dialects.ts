import type { Random } from '../../../src/kernel/random.ts'

/** A value of front matter: what stands in the file, and the text that it must come in as. Absent values are undefined. */
export interface Value {
  readonly source: string
  readonly text: string | undefined
}

/** The fields of a file, in order. A list is an array, an object a record. */
export type Fields = readonly (readonly [
  name: string,
  value: Value | readonly Value[] | Readonly<Record<string, Value>>,
])[]

export interface Dialect {
  readonly name: string
  /** A text, quoted. */
  quote(text: string): Value
  /** A scalar that is written without quotes: numbers and what only looks like them. */
  scalar(random: Random): Value
  readonly absent: readonly Value[]
  bool(value: boolean, random: Random): Value
  /** A date as this dialect may have it without quotes. */
  bareDate(iso: string): Value
  write(fields: Fields, body: string): string
}

const same = (source: string): Value => ({ source, text: source })
const quote = (text: string): Value => ({ source: JSON.stringify(text), text })
const pick = <T>(random: Random, items: readonly T[]): T => items[random.below(items.length)] as T

const NUMBERS = ['1.10', '3', '0', '1e3', '-4.50', '12345678901234567890', '9007199254740993', '1E400', '0.1e-7']

const yaml = (name: string, open: string, close: string): Dialect => ({
  name,
  quote,
  scalar: (random) =>
    same(
      pick(random, [
        ...NUMBERS,
        ...[
          '0x1F',
          '007',
          '.nan',
          '-.inf',
          '0o17',
          '1_000',
          '1:30',
          'yes',
          'No',
          'true',
          '2024-01-01',
          '~x',
          '+1',
          '1.',
          'Salt',
        ],
      ]),
    ),
  absent: [
    { source: 'null', text: undefined },
    { source: '~', text: undefined },
    { source: '', text: undefined },
    { source: '""', text: undefined },
  ],
  bool: (value, random) => {
    const words = value ? ['true', 'True', 'yes', 'on', '"true"'] : ['false', 'FALSE', 'no', 'off', "'false'"]
    return same(pick(random, words))
  },
  bareDate: same,
  write: (fields, body) => {
    const lines = fields.map(([key, value]) => {
      if (Array.isArray(value)) return `${key}:${value.map((it: Value) => `\n  - ${it.source}`).join('') || ' []'}`
      return `${key}: ${isValue(value) ? value.source : `{ ${entries(value, ': ')} }`}`
    })
    return `${open}\n# ${name}\n${lines.join('\n')}\n${close}\n${body}`
  },
})

const toml = (name: string, open: string, close: string): Dialect => ({
  name,
  quote,
  scalar: (random) =>
    same(
      pick(random, [
        ...NUMBERS.filter((it) => it !== '1E400'),
        '0x1F',
        'inf',
        '-nan',
        '0o17',
        '1_000',
        '2024-01-01',
        '07:32:00',
        'true',
      ]),
    ),
  absent: [{ source: '""', text: undefined }],
  bool: (value) => same(String(value)),
  bareDate: same,
  write: (fields, body) => {
    const lines = fields.map(([key, value]) => {
      if (Array.isArray(value)) return `${key} = [${value.map((it: Value) => it.source).join(', ')}]`
      return `${key} = ${isValue(value) ? value.source : `{ ${entries(value, ' = ')} }`}`
    })
    return `${open}\n# ${name}\n${lines.join('\n')}\n${close}\n${body}`
  },
})

const json = (name: string, open: string, close: string): Dialect => ({
  name,
  quote,
  scalar: (random) => same(pick(random, [...NUMBERS, 'true', 'false'])),
  absent: [
    { source: 'null', text: undefined },
    { source: '""', text: undefined },
  ],
  bool: (value) => same(String(value)),
  bareDate: quote,
  write: (fields, body) => {
    const lines = fields.map(([key, value]) => {
      if (Array.isArray(value)) return `  "${key}": [${value.map((it: Value) => it.source).join(', ')}]`
      return `  "${key}": ${isValue(value) ? value.source : `{${entries(value, ': ', '"')}}`}`
    })
    return `${open}{\n${lines.join(',\n')}\n}${close}\n${body}`
  },
})

const isValue = (value: object): value is Value => 'source' in value && typeof value.source === 'string'

const entries = (value: object, mark: string, around = ''): string =>
  Object.entries(value)
    .map(([key, { source }]) => `${around}${key}${around}${mark}${source}`)
    .join(', ')

export const DIALECTS: readonly Dialect[] = [
  yaml('YAML', '---', '---'),
  yaml('YAML that ends with dots', '---', '...'),
  yaml('YAML with its name', '---yaml', '---'),
  toml('TOML', '+++', '+++'),
  toml('TOML with its name', '---toml', '---'),
  json('JSON', '', ''),
  json('JSON between fences', '---json\n', '\n---'),
]
