import {
  type GraphQLInputType,
  isEnumType,
  isInputObjectType,
  isListType,
  isNonNullType,
  isRequiredInputField,
} from 'graphql'
import { toGlobalId } from '../../../src/identity/global-id.ts'
import type { Dice } from '../../integration/oracle/dice.ts'
import { mutateText } from './mutate-text.ts'

/** What a node holds when the fuzzer begins: real values, to be sent as they are or a little wrong. */
export interface KnownValues {
  readonly ids: readonly string[]
  readonly cursors: readonly string[]
  readonly slugs: readonly string[]
}

/** An enum value: in a document it has no quotes. */
export class EnumName {
  readonly name: string

  constructor(name: string) {
    this.name = name
  }

  toJSON(): string {
    return this.name
  }
}

/** Makes values for arguments, input fields and variables: right, at a bound, odd, or of another type. */
export class ValueMaker {
  readonly #dice: Dice
  readonly #known: KnownValues

  constructor(dice: Dice, known: KnownValues) {
    this.#dice = dice
    this.#known = known
  }

  /** @param name of the argument or field: a hint at what a right value looks like */
  make(type: GraphQLInputType, name: string, depth = 0): unknown {
    const dice = this.#dice
    if (dice.chance(1)) return dice.pick(OF_NO_TYPE)
    if (isNonNullType(type)) return this.make(type.ofType, name, depth)
    if (dice.chance(3)) return null
    if (isListType(type)) return this.#list(type.ofType, name, depth)
    if (isEnumType(type)) {
      const names = type.getValues().map((value) => value.name)
      return new EnumName(
        dice.chance(90) ? dice.pick(names) : dice.pick(['NONE', 'null', 'true', 'draft', '__proto__']),
      )
    }
    if (isInputObjectType(type)) {
      const fields = Object.values(type.getFields()).filter((field) =>
        isRequiredInputField(field) ? dice.chance(97) : dice.chance(35),
      )
      const made = fields.map((field) => [field.name, this.make(field.type, field.name, depth + 1)])
      if (dice.chance(3)) made.push([dice.pick(['nope', '_', 'toString', 'constructor']), this.#text(name)])
      return Object.fromEntries(made)
    }
    switch (type.name) {
      case 'Int':
        return dice.chance(60) ? 1 + dice.below(20) : dice.pick(NUMBERS)
      case 'Boolean':
        return dice.chance(90) ? dice.chance(50) : dice.pick(OF_NO_TYPE)
      case 'DateTime':
        return dice.chance(40) ? '2026-01-01T00:00:00.000Z' : dice.pick(DATES)
      case 'ID':
        return this.#id()
      default:
        return this.#text(name)
    }
  }

  #list(type: GraphQLInputType, name: string, depth: number): unknown {
    const length = this.#dice.chance(95) ? this.#dice.below(5) : this.#dice.pick([0, 99, 100, 101, 300])
    return Array.from({ length }, () => this.make(type, name, depth + 1))
  }

  #id(): unknown {
    const dice = this.#dice
    if (dice.chance(60)) return dice.pick(this.#known.ids)
    if (dice.chance(40)) return toGlobalId(dice.pick(['Article', 'User', 'Tag']), dice.pick(NUMBERS))
    if (dice.chance(30)) return dice.pick(NUMBERS)
    return mutateText(dice, dice.pick(this.#known.ids))
  }

  #text(name: string): string {
    const dice = this.#dice
    if (name === 'after' || name === 'before') return this.#cursor()
    if (['slug', 'tag', 'tags', 'author', 'username'].includes(name) && dice.chance(60)) {
      return dice.pick(this.#known.slugs)
    }
    if (name === 'email' && dice.chance(60)) return `${dice.below(10_000)}@example.com`
    if (name === 'search' && dice.chance(60)) return dice.pick(SEARCHES)
    if (dice.chance(40)) return dice.words(1 + dice.below(4))
    return dice.chance(85) ? dice.pick(TEXTS) : dice.pick(UNITS).repeat(dice.pick([2, 39, 40, 300, 301, 2001, 20_000]))
  }

  /** A real one; or its characters, or what is encoded in them, a little changed. */
  #cursor(): string {
    const dice = this.#dice
    const real = dice.pick(this.#known.cursors)
    if (dice.chance(30)) return real
    if (dice.chance(40)) return mutateText(dice, real)
    const inner = Buffer.from(real, 'base64url').toString('latin1')
    const changed = dice.chance(50)
      ? mutateText(dice, inner)
      : inner.replace(/\d+/, () => String(dice.pick([...NUMBERS, '1e5', '0x1', ''])))
    return Buffer.from(changed, 'latin1').toString(dice.pick(['base64url', 'base64']))
  }
}

const NUMBERS = [
  0,
  -0,
  1,
  -1,
  0.5,
  99,
  100,
  101,
  2 ** 15,
  2 ** 31 - 1,
  2 ** 31,
  -(2 ** 31),
  -(2 ** 31) - 1,
  2 ** 32,
  2 ** 53 - 1,
  2 ** 53,
  -(2 ** 53),
  2 ** 63,
  2 ** 64,
  1e21,
  1e308,
  5e-324,
]

const DATES = [
  '0000-01-01T00:00:00Z',
  '0001-01-01T00:00:00Z',
  '-000001-01-01T00:00:00Z',
  '-004713-01-01T00:00:00Z',
  '-004714-01-01T00:00:00Z',
  '-271821-04-20T00:00:00.000Z',
  '-271821-04-19T23:59:59.999Z',
  '+275760-09-13T00:00:00.000Z',
  '+275760-09-13T00:00:00.001Z',
  '+294276-12-31T23:59:59.999Z',
  '9999-12-31T23:59:59.999Z',
  '10000-01-01T00:00:00Z',
  '+010000-01-01T00:00:00Z',
  '1970-01-01T00:00:00Z',
  '2026-02-30T00:00:00Z',
  '2026-01-01',
  '2026-01-01T24:00:00Z',
  '2026-01-01T00:00:60Z',
  '2026-01-01T00:00:00+14:00',
  '2026-01-01T00:00:00+99:99',
  '2026-01-01T00:00:00.123456789Z',
  'infinity',
  '-infinity',
  'now',
  'epoch',
  '',
  '0',
  'NaN',
  '2026-01-01T00:00:00Z\0',
  '２０２６-01-01T00:00:00Z',
]

const TEXTS = [
  '',
  ' ',
  '\0',
  'a\0b',
  '\ud800',
  'a\udfff\ud800b',
  '\u202eabc',
  '\ufeff',
  '\u200b',
  'e\u0301\u0327',
  '\u{1f98a}',
  'İıſK',
  '\u0085\u2028\u2029',
  '\x7f\x1b[31m',
  '\r\nSet-Cookie: a=b',
  "' or 1=1 --",
  '$1',
  '%',
  '_',
  '\\',
  '"',
  '`',
  '#{1}',
  '{{1}}',
  '__proto__',
  'constructor',
  'null',
  'undefined',
  '{}',
  '[]',
  '../../etc/passwd',
  '<script>alert(1)</script>',
  '[x](javascript:1)',
  '![](data:x)',
  '<b>'.repeat(200),
  '![['.repeat(300),
  '|a|b|\n|-|-|\n|c|',
  'stet:articles:*',
  'articles',
  'articles:*',
  'articles:1',
  'users:1',
  '*',
  ':',
  'articles:title',
  'articles:author_id=1',
  'a,b c',
  'http://x/',
  'javascript:x',
  'x@y',
]

const SEARCHES = [
  'fox',
  '"secretive fox"',
  'fox -dog',
  'fox or dog',
  'or',
  '-',
  '"',
  '""',
  '" -" or -',
  '-"',
  'a:*',
  '&|!',
  '((',
  ':*',
  '<->',
  '!!!',
  'fox'.repeat(160),
  '- '.repeat(240),
  '" '.repeat(240),
  'or '.repeat(160),
  '\0',
  '\\',
  "'",
  "''''",
  'ß',
  '\u{1f98a}',
  'a-b_c@d/e',
  '<!--',
]

const UNITS = [
  'x',
  'é',
  '\u{1d4b3}',
  '\ud800',
  '<i>',
  '[',
  '`',
  '_a',
  '> ',
  '- ',
  '\n',
  ' ',
  '&amp;',
  '&#0;',
  '|',
  '*_',
]

const OF_NO_TYPE = [
  null,
  true,
  false,
  0,
  '',
  'x',
  [],
  {},
  [[]],
  [null],
  { x: 1 },
  [[[[[]]]]],
  -1,
  1.5,
  '0',
  { id: null },
]
