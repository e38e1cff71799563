import { expect, it } from '@jest/globals'
import { Random } from '../kernel/random.ts'
import { ReplyScanner, type ReplyShape } from './reply-scanner.ts'

const GOOD = {
  '+OK\r\n': { type: '+', isNull: false, elements: '', word: 'OK' },
  '-ERR no such thing\r\n': { type: '-', isNull: false, elements: '', word: 'ERR no such thing' },
  ':-42\r\n': { type: ':', isNull: false, elements: '', word: '' },
  '$-1\r\n': { type: '$', isNull: true, elements: '', word: '' },
  '$0\r\n\r\n': { type: '$', isNull: false, elements: '', word: '' },
  '$8\r\na\r\n*9\r\nb\r\n': { type: '$', isNull: false, elements: '', word: '' },
  '*-1\r\n': { type: '*', isNull: true, elements: '', word: '' },
  '*0\r\n': { type: '*', isNull: false, elements: '', word: '' },
  '*3\r\n$7\r\nmessage\r\n$1\r\nc\r\n$2\r\nhi\r\n': { type: '*', isNull: false, elements: '$$$', word: 'message' },
  '*3\r\n$9\r\nsubscribe\r\n$1\r\nc\r\n:1\r\n': { type: '*', isNull: false, elements: '$$:', word: 'subscribe' },
  '*4\r\n*2\r\n$1\r\na\r\n$-1\r\n$-1\r\n*0\r\n+x\r\n': { type: '*', isNull: false, elements: '*_*+', word: '' },
} satisfies Record<string, ReplyShape>

it('tells what each reply looks like, however the bytes are cut into chunks', () => {
  const seed = Number(process.env.TEST_SEED ?? Math.floor(Math.random() * 2 ** 31))
  const dice = new Random(seed)
  const bytes = Buffer.from(Object.keys(GOOD).join(''))
  for (let round = 0; round < 300; round++) {
    const { scanner, shapes } = scan()
    for (let at = 0; at < bytes.length; ) {
      const end = round === 0 ? bytes.length : at + 1 + Math.floor(dice.next() * 9)
      const fault = scanner.scan(bytes.subarray(at, end))
      if (fault !== undefined) throw new Error(`${fault}; replay with TEST_SEED=${seed}`)
      at = end
    }
    expect(shapes).toEqual(Object.values(GOOD))
    expect(scanner.isWithin).toBe(false)
  }
})

it.each([
  ['?what\r\n', 'no reply begins with "?"'],
  ['HTTP/1.1 400 Bad Request\r\n', 'no reply begins with "H"'],
  ['>2\r\n', 'no reply begins with ">"'],
  ['_\r\n', 'no reply begins with "_"'],
  ['$-5\r\n', 'nothing has a length of -5'],
  ['*-2\r\n', 'nothing has a length of -2'],
  ['$9\r\nabc\r\n+PONG\r\n+PONG\r\n', 'a string is not as long as it was said to be'],
  ['$2\r\nabc\r\n', 'a string is not as long as it was said to be'],
  ['$99999999999\r\n', 'a string of 99999999999 bytes is too long'],
  ['*99999999999\r\n', 'an array of 99999999999 elements is too long'],
  ['*2\r\n*600000\r\n', undefined],
  ['*2\r\n*600000\r\n*600000\r\n', 'an array of 600000 elements is too long'],
  ['*1\r\n'.repeat(40), 'arrays are nested too deeply'],
  ['$abc\r\n', '"abc" is no number'],
  [':\r\n', '"" is no number'],
  ['$1\n', 'a line does not end'],
  [':1'.padEnd(100, '1'), 'a line does not end'],
  [`+${'x'.repeat(70_000)}`, 'a line does not end'],
])('says what is wrong with %j', (text, fault) => {
  expect(scan().scanner.scan(Buffer.from(text))).toBe(fault)
  // Byte by byte, too.
  const { scanner } = scan()
  let found: string | undefined
  for (const byte of Buffer.from(text)) found ??= scanner.scan(Buffer.of(byte))
  expect(found).toBe(fault)
})

it('says what its listener finds wrong, and looks no further', () => {
  const { scanner, shapes } = scan('nobody asked for it')
  expect(scanner.scan(Buffer.from('+OK\r\n+OK\r\n'))).toBe('nobody asked for it')
  expect(shapes).toEqual([])
})

function scan(fault?: string) {
  const shapes: ReplyShape[] = []
  const scanner = new ReplyScanner({
    onBegin: () => fault,
    onReply: (shape) => {
      shapes.push({ ...shape })
      return undefined
    },
  })
  return { scanner, shapes }
}
