import { expect, it } from '@jest/globals'
import { checkLength, checkUrl, quote } from './input.ts'

it.each([
  'http://x',
  'https://example.com',
  'https://example.com/a.png?size=80#face',
  'https://example.com:8443/~ann/@2x.png',
  'https://bücher.example/ännchen.png',
  'https://cafe\u0301.example/e\u0301.png',
  'https://[::1]:3000/a',
  'https://127.0.0.1/a%20b',
  `https://example.com/${'x'.repeat(1980)}`,
])('takes %s as a URL', (url) => {
  expect(checkUrl('input.avatarUrl', url, 2000)).toBe(url)
})

it.each([
  ['nothing behind the scheme', 'https://'],
  ['no host', 'https:///x'],
  ['no host, but a port', 'https://:80/x'],
  ['no host, but a query', 'https://?x'],
  ['a host of dots', 'https://../x'],
  ['one slash', 'https:/example.com'],
  ['backslashes', 'https:\\\\example.com'],
  ['a backslash behind the host', 'https://example.com\\@evil.example'],
  ['a line break', 'https://example.com/a\n.png'],
  ['a line break at its end', 'https://example.com/a.png\n'],
  ['a carriage return', 'https://example.com\r/a.png'],
  ['a tab', 'https://exa\tmple.com'],
  ['a space', 'https://example.com/a b.png'],
  ['a space at its front', ' https://example.com'],
  ['no-break spaces', 'https://example.com/\u00a0'],
  ['what can’t be seen', 'https://example.com/\u200b'],
  ['marks of direction', 'https://example.com/\u202egnp.exe'],
  ['a user', 'https://ann@example.com'],
  ['a user and a password', 'https://ann:secret@example.com/a.png'],
  ['an empty user', 'https://@example.com'],
  ['quotes', 'https://example.com/"><script>'],
  ['another scheme', 'javascript:alert(1)'],
  ['another scheme, and ours', 'javascript:https://example.com'],
  ['data', 'data:image/png;base64,AAAA'],
  ['no scheme', '//example.com/a.png'],
  ['a port out of range', 'https://example.com:99999'],
  ['half an escape in its path', 'https://example.com/100%'],
  ['an escape that is none', 'https://example.com/%zz.png'],
  ['an escape cut short', 'https://example.com/a?b=%2'],
  ['two fragments', 'https://example.com/#a#b'],
  ['half an escape in the host', 'https://exa%mple.com'],
  ['a number of too many parts', 'https://1.2.3.4.5'],
])('refuses a URL with %s, and says so', (_what, url) => {
  expect(() => checkUrl('input.avatarUrl', url, 2000)).toThrow(
    `input.avatarUrl must be an http or https URL such as "https://example.com/a.png", not ${quote(url)}.`,
  )
})

it('shows long texts cut, never within a character, and what can’t be seen as escapes', () => {
  const long = `${'x'.repeat(99)}🦊 and more`
  expect(() => checkLength('input.title', long.repeat(3), { min: 1, max: 300 })).toThrow(
    `input.title must have 1 to 300 characters; "${'x'.repeat(99)}…" has ${[...long].length * 3}.`,
  )
  expect(() => checkLength('input.title', '\u200b\u2800', { min: 1, max: 300 })).toThrow(
    'input.title must have something that can be seen; "\\u200b\\u2800" has nothing.',
  )
  expect(() => checkLength('input.title', 'a\0b', { max: 300 })).toThrow(
    'input.title holds U+0000 or half a surrogate pair, which can\'t be stored: "a\\u0000b".',
  )
})
