import type { Dice } from '../../integration/oracle/dice.ts'

/** A text with one to three small changes: a piece is cut, doubled, replaced by another character, or by something that means a lot. */
export function mutateText(dice: Dice, text: string): string {
  let mutated = text
  for (let left = 1 + dice.below(3); left > 0; left--) {
    const at = dice.below(mutated.length + 1)
    const length = dice.chance(70) ? 1 : 1 + dice.below(10)
    const [before, piece, after] = [mutated.slice(0, at), mutated.slice(at, at + length), mutated.slice(at + length)]
    switch (dice.below(5)) {
      case 0:
        mutated = before + after
        break
      case 1:
        mutated = before + piece + piece + after
        break
      case 2:
        mutated = before + String.fromCharCode(dice.below(dice.chance(80) ? 128 : 256)) + after
        break
      case 3:
        mutated = before + dice.pick(MEANINGFUL) + piece + after
        break
      default:
        mutated = dice.chance(20) ? before : before + dice.pick(MEANINGFUL) + after
    }
  }
  return mutated
}

const MEANINGFUL = [
  '{',
  '}',
  '[',
  ']',
  '(',
  ')',
  '"',
  '"""',
  "'",
  '\\',
  '\\u0000',
  '\\ud800',
  ':',
  ',',
  '$',
  '@',
  '!',
  '...',
  '|',
  '&',
  '=',
  '#',
  '%',
  '%00',
  '%zz',
  'null',
  'true',
  '-',
  '-1',
  '1e999',
  '9'.repeat(400),
  '0x',
  '.',
  '\0',
  '\n',
  '\r',
  '\t',
  '\ufeff',
  '\ud800',
  '__proto__',
  'query',
  'mutation',
  'subscription',
  'fragment',
  'on',
  '{}',
  '[]',
  '@include(if: true)',
  '@skip',
  '@defer',
  '@cacheControl',
  '__schema{types{name}}',
  '__typename',
  ' ',
]
