import { expect, it } from '@jest/globals'
import { parseArticle } from '../../test/harness/parse-article.ts'

it.each([
  ['One {% comment %}not\n\nyet{% endcomment %} two', 'One  two'],
  ['{%- comment -%}\n# Secret\n{%- endcomment -%}\n\n# Salt', '# Salt'],
  ['One {# not yet #} two', 'One  two'],
  ['One {{% comment %}} not yet {{% /comment %}}', 'One'],
  ['One {{< comment >}}\nnot yet\n{{< /comment >}}', 'One'],
  ['One {%- # not yet -%} two', 'One  two'],
  ['One {{!-- not {{ yet }} --}} two', 'One  two'],
  ['One {{- /* not yet */ -}} two', 'One  two'],
  ['One %%not yet%% two', 'One  two'],
  ['One\n\n%%\n# Secret\n%%\n\nTwo', 'One\n\n\n\nTwo'],
  ['%%not\nyet %% \nTwo', 'Two'],
])('leaves out a comment that no reader of the site sees, and says so: %j', (text, body) => {
  const { article, notes } = parseArticle('a.md', `---\ndate: 2024-01-01\n---\n${text}`)
  expect([article.body, notes]).toEqual([body, ['comes in without 1 comment of a template language']])
  expect(article.title).not.toContain('Secret')
})

it.each([
  ['{% include x %} {{ page.title }} {{< figure >}}', 'holds 3 tags'],
  ['{{% note %}} Salt {{% /note %}} {% comment %}', 'holds 3 tags'],
  ['`{{ code }}` {{ code }}', 'holds 1 tag'],
  ['{% raw %}{# no comment #} {{ x }} {% comment %}{% endraw %}', 'holds 1 tag'],
  ['{%- verbatim -%}{{!-- no comment --}}{%- endverbatim -%}', 'holds 1 tag'],
])('leaves the tags in %j as they are, and says so', (text, note) => {
  const { article, notes } = parseArticle('a.md', `---\ntitle: A\n---\n${text}`)
  expect(article.body).toBe(text)
  expect(notes).toEqual([`${note} of a template language: they stay as they are written`])
})

it('takes no object of JavaScript for a tag', () => {
  const { notes } = parseArticle('a.mdx', '---\ntitle: A\n---\nAs {{ page }} it is')
  expect(notes).toEqual(['is MDX, and its expressions stay as they are written: 1 in braces'])
})

it.each([
  '## Part {#part}',
  '`{% comment %}a{% endcomment %}`',
  '```liquid\n{% comment %}a{% endcomment %}\n```',
  'One {% comment two {# three {{ four',
  '100%% of it, or 50%% of it',
  '%% one\ntwo\n%% three',
  '`%%code%%` and %%%% and %% alone',
  '```\n%%\nmermaid\n%%\n```',
])('leaves %j as it is', (text) => {
  expect(parseArticle('a.md', `---\ntitle: A\n---\n${text}`)).toMatchObject({ article: { body: text }, notes: [] })
})

it.each([
  '{# ',
  '{% comment %}',
  '{{% comment %}}',
  '{',
  '`{# ',
  '{{ ',
  '{% x %}',
  '%%',
  ' %%a',
  '\n%% a',
  '{% raw %}',
])('takes little time for %j, however often', (piece) => {
  const startedAt = performance.now()
  parseArticle('a.md', `---\ntitle: A\n---\n${piece.repeat(200_000 / piece.length)}`)
  expect(performance.now() - startedAt).toBeLessThan(5000)
})
