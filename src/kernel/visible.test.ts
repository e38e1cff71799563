import { describe, expect, it } from '@jest/globals'
import { escapeUnseen, isVisible } from './visible.ts'

describe('Nothing can be seen of', () => {
  it.each([
    ['an empty text', ''],
    ['blanks', ' \t\n\r\u0085\u00a0\u1680\u2003\u2028\u3000'],
    ['zero-width spaces and joiners', '\u200b\u200c\u200d\u2060\ufeff'],
    ['a soft hyphen', '\u00ad'],
    ['marks of direction', '\u200e\u200f\u061c\u202a\u202e\u202c\u2066\u2069'],
    ['Hangul fillers', '\u3164\u115f\u1160\uffa0'],
    ['a blank of Braille', '\u2800'],
    ['variation selectors', '\ufe0f\ufe00\u180b\u{e0100}'],
    ['tag characters', '\u{e0001}\u{e0067}\u{e007f}'],
    ['combining marks', '\u0301\u0308\u20dd\u0e31\u093f'],
    ['a mark on a space', ' \u0301'],
    ['control characters', '\u0001\u001b\u007f\u009f'],
    ['invisible operators', '\u2061\u2064\u206a\ufff9'],
    ['Mongolian and Khmer characters without a picture', '\u180e\u17b4\u17b5'],
    ['noncharacters', '\uffff\ufdd0\u{10ffff}'],
    ['notes and hieroglyphs without a picture', '\u{1d159}\u{1d173}\u{13441}\u{13442}\u{13430}'],
  ])('%s', (_what, text) => {
    expect(isVisible(text)).toBe(false)
    expect(isVisible(`${text}a${text}`)).toBe(true)
  })
})

it.each([
  'a',
  '0',
  '.',
  'é',
  'e\u0301',
  '王',
  '한',
  '\u1112\u1161\u11ab',
  '👩‍👩‍👧',
  '❤\ufe0f',
  '🏴\u{e0067}\u{e007f}',
  '⠁',
  '\ufffd',
  '\u{f8ff}',
])('sees %j', (text) => {
  expect(isVisible(text)).toBe(true)
})

it.each([
  ['a\u200bb', 'a\\u200bb'],
  ['two words', 'two words'],
  ['a\u00a0b\u3000', 'a\\u00a0b\\u3000'],
  ['\u{e0067}', '\\udb40\\udc67'],
  ['\u202egnp.exe', '\\u202egnp.exe'],
  ['e\u0301\u0302', 'e\u0301\u0302'],
  ['"\u0301\u0302"', '"\\u0301\\u0302"'],
])('writes %j as %j', (text, escaped) => {
  expect(escapeUnseen(text)).toBe(escaped)
  expect(JSON.parse(`"${escaped.replace(/"/g, '\\"')}"`)).toBe(text)
})
