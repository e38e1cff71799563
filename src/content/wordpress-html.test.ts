import { describe, expect, it } from '@jest/globals'
import { articles, cdata, item, notes, read, xml } from '../../test/harness/wordpress-export.ts'
import { renderMarkdown } from '../domain/articles/render-markdown.ts'

describe('the body of an item', () => {
  it.each([
    ['paragraphs and lines of the classic editor', 'One\ntwo\n\nThree', '<p>One<br />\ntwo</p>\n<p>Three</p>'],
    [
      'what Markdown would read as its own',
      '2 * 3 * 4\n\n# a\n\n    b\n\n1. c\n\n[x](y) `z`\n---',
      '<p>2 * 3 * 4</p>\n<p># a</p>\n<p>b</p>\n<p>1. c</p>\n<p>[x](y) `z`<br />\n---</p>',
    ],
    ['code with blank lines', '<pre>a\n\n\n  *b*\n</pre>', '<div>\n<pre>a\n\n\n  *b*\n</pre>\n</div>'],
    [
      'blocks',
      '<!-- wp:paragraph -->\n<p>A\nb</p>\n<!-- /wp:paragraph -->\n\nfree\nform',
      '<p>A\nb</p>\n<p>free<br />\nform</p>',
    ],
    [
      'blocks in blocks',
      '<!-- wp:group {"a":{"b":1}} --><div><!-- wp:list -->\n<ul><li>a</li></ul>\n<!-- /wp:list --></div><!-- /wp:group -->',
      '<div>\n<ul><li>a</li></ul>\n</div>',
    ],
    [
      'lists and quotes',
      '<ul>\n<li>a\n\nb</li>\n<li>c</li>\n</ul><blockquote>q\n\nr</blockquote>',
      '<ul>\n<li>\n<p>a</p>\n<p>b</p>\n</li>\n<li>c</li>\n</ul>\n<blockquote>\n<p>q</p>\n<p>r</p>\n</blockquote>',
    ],
    ['line ends of Windows', 'a\r\nb\r\n\r\nc', '<p>a<br />\nb</p>\n<p>c</p>'],
    ['breaks that are written already', 'a<br />\nb', '<p>a<br />\nb</p>'],
    [
      'scripts and handlers',
      'a<script>\n\nalert(1)</script><img src="x" onerror="alert(1)">',
      '<p>a</p>\n\n<p><img src="x" /></p>',
    ],
    [
      'an address that is alone',
      'https://example.com/v?a=1&b=2',
      '<p><a href="https://example.com/v?a=1&amp;b=2" rel="nofollow noopener">https://example.com/v?a=1&amp;b=2</a></p>',
    ],
    [
      'a picture with a caption',
      '<figure class="x"><img src="https://example.com/a.jpg" alt="A"/><figcaption>B</figcaption></figure>',
      '<figure><img src="https://example.com/a.jpg" alt="A" /><figcaption>B</figcaption>\n</figure>',
    ],
    [
      'a tag over two lines',
      '<a\nhref="https://example.com">a</a>',
      '<p><a href="https://example.com" rel="nofollow noopener">a</a></p>',
    ],
  ])('is rendered as WordPress shows it: %s', async (_name, content, html) => {
    const [article] = await articles(xml('', item({ 'content:encoded': cdata(content) })))
    const rendered = renderMarkdown(article?.body ?? '')
    expect('html' in rendered && rendered.html.trim()).toBe(html)
  })

  it('names shortcodes, and blocks that only WordPress can fill', async () => {
    const content = `[gallery ids="1,2"] [caption id="x"]y[/caption] [sic] [1] [a link](x) [contact-form-7 id="1"]
      <!-- wp:latest-posts {"postsToShow":3} /--> <!-- wp:separator --><hr/><!-- /wp:separator -->`
    expect(await notes(xml('', item({ 'content:encoded': cdata(content) })))).toEqual([
      'holds shortcodes, which stay as text: gallery, caption, contact-form-7',
      'holds blocks that only WordPress can fill, and which are left out: latest-posts',
    ])
  })

  it.each([
    '<div>',
    '<pre>',
    '<!--',
    '<!-- wp:a',
    '<a "',
    '[',
    '[a ',
    '\n',
    ' ',
    '\n \n',
    '<br ',
    '<',
    '</p>',
    '<p>',
    '<!-- wp:a -->',
    '&',
  ])('takes a time in proportion to its length: %j', async (piece) => {
    const content = piece.repeat(Math.floor(1_000_000 / piece.length))
    const began = process.cpuUsage()
    await read(xml('', item({ 'content:encoded': cdata(content) })))
    const { user } = process.cpuUsage(began)
    // A square would take hours.
    expect(user / 1e6).toBeLessThan(20)
  })
})
