import { describe, expect, it } from '@jest/globals'
import { renderMarkdown } from './render-markdown.ts'

describe('renderMarkdown', () => {
  it('renders CommonMark, tables and bare links', () => {
    const { html, refusal } = renderMarkdown('# A\n\n**b** <i>c</i> https://d.example\n\n|e|\n|-:|\n|f|\n')
    expect(html).toBe(
      '<h1>A</h1>\n<p><strong>b</strong> <i>c</i> <a href="https://d.example" rel="nofollow noopener">https://d.example</a></p>\n' +
        '<table>\n<thead>\n<tr>\n<th style="text-align:right">e</th>\n</tr>\n</thead>\n<tbody>\n<tr>\n<td style="text-align:right">f</td>\n</tr>\n</tbody>\n</table>\n',
    )
    expect(refusal).toBeUndefined()
  })

  it.each([
    ['elements that are never closed', '<b>'],
    ['blocks that are never closed', '<div>\n\n'],
    ['elements closed by another name', '<i>x</b>'],
    ['elements that are not allowed', '<x>'],
    ['drawings', '<svg>'],
    ['tables in tables', '<table><tr><td>'],
  ])('refuses %s beyond 500 levels', (_what, unit) => {
    const levels = (unit.match(/<\w/g) ?? []).length
    const nested = (depth: number) => unit.repeat(Math.floor(depth / levels))
    expect(renderMarkdown(nested(495)).refusal).toBeUndefined()
    expect(renderMarkdown(nested(600))).toEqual({
      html: `<pre>${nested(600).replaceAll('<', '&lt;').replaceAll('>', '&gt;')}</pre>\n`,
      refusal: 'it nests HTML elements more than 500 deep: close them',
    })
    expect(renderMarkdown(unit.repeat(160_000 / levels)).refusal).toMatch(/500 deep/)
  })

  it.each([
    ['emphasis in emphasis', '*a '.repeat(80_000) + 'a* '.repeat(80_000)],
    ['emphasis of two kinds', '**a _b '.repeat(600) + 'b_ a** '.repeat(600)],
  ])('refuses %s beyond 500 levels', (_what, text) => {
    expect(renderMarkdown(text).refusal).toMatch(/500 deep/)
  })

  it('does not count elements that follow each other, nor those that end by themselves', () => {
    const text = `<b>x</b>${'<br>'.repeat(1000)}<ul>${'<li>'.repeat(1000)}</ul>${'<p>'.repeat(1000)}`.repeat(3)
    expect(renderMarkdown(text).refusal).toBeUndefined()
  })

  it.each([
    ['a long link that is used often', `[a]: <${'u'.repeat(2500)}>\n\n${'[a]'.repeat(150_000)}`],
    ['a very long link', `[a]: <${'u'.repeat(250_000)}>\n\n${'[a]'.repeat(80_000)}`],
    ['a long title', `[a]: b "${'t'.repeat(2500)}"\n\n${'[a]'.repeat(150_000)}`],
    ['a long picture', `[a]: <${'u'.repeat(2500)}>\n\n${'![a]'.repeat(120_000)}`],
    ['row after row', `|a|b|\n|-|-|\n${'|x|y|\n'.repeat(80_000)}`],
  ])('refuses what would become far more HTML than text: %s', (_what, text) => {
    expect(renderMarkdown(text).refusal).toBe('it would become more than 2000000 characters of HTML: shorten it')
  })
})
