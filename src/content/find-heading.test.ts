import { expect, it } from '@jest/globals'
import { findHeading } from './find-heading.ts'

it.each([
  ['# Salt', 'Salt'],
  ['# Salt #', 'Salt'],
  ['   #\tSalt\n', 'Salt'],
  ['Salt\n====', 'Salt'],
  ['Salt and\n*sea*\n===', 'Salt and sea'],
  ['Text\n\n# [The](x) `one` ![badge](y) #', 'The one'],
  ['# [Salt][1] & <em>sea</em>\n\n[1]: https://example.com', 'Salt & sea'],
  ['# a\\*b &amp; "c" &lt;d&gt;', 'a*b & "c" <d>'],
  ['# a<br>b <!-- c --><script>d</script>', 'a b'],
  ['<h1 align="center">\n  <img src="x"> Salt&nbsp;rock\n</h1>\n\n# Sea', 'Salt rock'],
  ['# ![badge](y)\n\n# Salt', 'Salt'],
  ['#\n\n# Salt', 'Salt'],
  ['## Sea\n\n# Salt', 'Salt'],
])('finds the title in %j', (body, title) => {
  expect(findHeading(body)?.text).toBe(title)
})

it.each([
  '#Salt',
  '####### Salt',
  '\\# Salt',
  '    # Salt',
  '```sh\n# Salt\n```',
  '~~~~\n~~~\n# Salt\n~~~~',
  '````\n```\n# Salt\n```\n````',
  '<!--\n# Salt\n-->',
  '<!-- <h1>Salt</h1> -->',
  '<pre>\n# Salt\n</pre>',
  '> # Salt',
  '- # Salt',
  '`<h1>Salt</h1>`',
  '[x]: y\n"# Salt"',
  '',
])('finds none in %j', (body) => {
  expect(findHeading(body)).toBeUndefined()
})

it('says on which line it begins', () => {
  expect(findHeading('One\n\n```\n# no\n```\n\n# Salt')).toEqual({ text: 'Salt', line: 6 })
})
