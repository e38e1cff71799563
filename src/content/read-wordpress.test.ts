import { describe, expect, it } from '@jest/globals'
import { articles, cdata, type Fields, item, read, xml } from '../../test/harness/wordpress-export.ts'

describe('XML', () => {
  it.each([
    ['billion laughs', '<!DOCTYPE lolz [<!ENTITY lol "lol"><!ENTITY lol2 "&lol;&lol;&lol;">]>'],
    ['an external entity', '<!DOCTYPE rss [<!ENTITY x SYSTEM "file:///etc/passwd">]>'],
    ['a parameter entity', '<!DOCTYPE rss [<!ENTITY % x SYSTEM "http://127.0.0.1/x.dtd"> %x;]>'],
    ['an external subset', '<!DOCTYPE rss SYSTEM "http://127.0.0.1/x.dtd">'],
    ['a document type that never ends', `<!DOCTYPE rss [${'<!ENTITY a "b">'.repeat(40_000)}`],
    ['a document type in small letters', '<!doctype rss>'],
    ['a long declaration', `<!ENTITY ${'x'.repeat(300_000)}`],
  ])('refuses %s', async (_name, doctype) => {
    const { why, records } = await read(xml('', item({ title: '&lol2;' })).replace('<rss', `${doctype}<rss`))
    expect(why).toEqual([expect.stringMatching(/document type .*billion laughs|is not well-formed XML/)])
    if (/^<!doctype/i.test(doctype)) expect(why[0]).toContain('billion laughs')
    expect(records).toEqual([])
  })

  it('leaves out an item with an entity that nobody declared, and takes those of XML and HTML', async () => {
    const titles = ['a&lol;b', 'AT&T is', 'a &#xD800; b', '&#0;', '&amp;&lt;&#39;&hellip;&#x1F9C2;']
    const { why, records } = await read(xml('', ...titles.map((title) => item({ title }))))
    expect(why).toEqual(Array(4).fill('holds & or an entity that is not known, such as &name;'))
    expect(records).toEqual([expect.objectContaining({ title: "&<'…🧂" })])
  })

  it.each([
    ['a text', 'just text'],
    ['nothing', ''],
    ['a feed', '<rss version="2.0"><channel><title>x</title><item><title>y</title></item></channel></rss>'],
    ['a name with a bare & at its end', '<rss><channel><title>AT&T</title></channel></rss>'],
    ['another root', '<feed><item/></feed>'],
    ['a page', '<html><body><p>x</p></body></html>'],
    ['an export within another root', `<x>${xml('', item({})).replace(/<\?xml.*?\?>/, '')}</x>`],
  ])('refuses %s', async (_name, text) => {
    const { why, records } = await read(text)
    expect([why.length, records]).toEqual([1, []])
    expect(why[0]).toMatch(/^(is no WordPress export|is not well-formed XML)/)
  })

  it('brings in what stands before the place where a file is cut off, or is damaged', async () => {
    const whole = xml('', item({ 'wp:post_name': 'a' }), item({ 'wp:post_name': 'b' }))
    const second = whole.lastIndexOf('<item>')
    const bodies = [
      whole.slice(0, second),
      whole.slice(0, second + 200),
      whole.slice(0, whole.indexOf(']]>', second)),
      `${whole.slice(0, second)}</x>${whole.slice(second)}`,
      `${whole.slice(0, second)}<item><title>x</item>${whole.slice(second)}`,
    ]
    for (const text of bodies) {
      const { why, records } = await read(text)
      expect(why).toEqual([expect.stringMatching(/^(ends too early, within|is not well-formed XML from here on: )/)])
      expect(records.map((it) => 'slug' in it && it.slug)).toEqual(['a'])
    }
  })

  it('takes CDATA in pieces, and ]]> within it', async () => {
    const split = 'A ]]]]><![CDATA[> B <![CDATA[nested ]]&gt; ]]><![CDATA['
    const big = `<p>${'x'.repeat(300_000)}</p>`
    const found = await articles(
      xml(
        '',
        item({ 'content:encoded': cdata(split) }),
        item({ 'content:encoded': `<![CDATA[${big}]]>`, 'wp:post_name': 'b' }),
      ),
    )
    expect(found.map(({ body }) => body)).toEqual(['<p>A ]]> B <![CDATA[nested ]]&gt;</p>', big])
  })

  it('reads every encoding that it says it has, and reports what is none', async () => {
    const text = xml('', item({ title: 'Café “x”' })).replace('UTF-8', 'windows-1252')
    const latin = Buffer.from(text.replace('“', '\x93').replace('”', '\x94'), 'latin1')
    const utf16 = Buffer.from(`\uFEFF${text.replace('windows-1252', 'UTF-16')}`, 'utf16le')
    const bare16 = utf16.subarray(2)
    const bom = Buffer.from(`\uFEFF${text.replace('windows-1252', 'utf-8')}`)
    const none = Buffer.from(`\n \n${text.replace(/<\?xml.*?\?>/, '')}`)
    for (const bytes of [latin, utf16, Buffer.from(utf16).swap16(), bare16, bom, none]) {
      expect((await articles(bytes)).map(({ title }) => title)).toEqual(['Café “x”'])
    }
    expect((await read(text.replace('windows-1252', 'klingon'))).why).toEqual([
      'has the encoding "klingon", which is not known',
    ])
  })

  it('leaves out an item with bytes that are no text, and takes U+FFFD where it is written', async () => {
    const text = xml('', item({ title: 'bad @', 'wp:post_name': 'a' }), item({ title: '\uFFFD', 'wp:post_name': 'b' }))
    for (const bad of ['\xe9', '\xf0\x9f\xa7', '\xed\xa0\x80', '\xc0\x80']) {
      const bytes = Buffer.from(Buffer.from(text).toString('latin1').replace('@', bad), 'latin1')
      const { why, records } = await read(bytes)
      expect(why).toEqual(['holds bytes that are no text in the encoding of the file'])
      expect(records).toEqual([expect.objectContaining({ slug: 'b', title: '\uFFFD' })])
    }
  })

  it('reads characters of several bytes wherever a piece of the file ends', async () => {
    const body = 'é€🧂'.repeat(50_000)
    for (const shift of ['', 'a', 'ab', 'abc', 'abcd']) {
      const [found] = await articles(xml('', item({ 'content:encoded': cdata(shift + body) })))
      expect(found?.body === `<p>${shift}${body}</p>`).toBe(true)
    }
  })

  it('reports what holds NUL, and what is far more than people write, and brings in the rest', async () => {
    const named = (slug: string, fields: Fields) => item({ 'wp:post_name': slug, ...fields })
    const { why, records } = await read(
      xml(
        '',
        named('nul', { title: 'a\0b' }),
        named('nul-body', { 'content:encoded': cdata('a\0b') }),
        named('title', { title: 'x'.repeat(301) }),
        named('body', { 'content:encoded': cdata('x'.repeat(500_000)) }),
        named('huge', { 'content:encoded': cdata('x'.repeat(5_000_000)) }),
        named('terms', { more: '<category domain="post_tag" nicename="x">x</category>'.repeat(1001) }),
        named('millions', { more: '<category/>'.repeat(100_000) }),
        named('excerpt', { 'excerpt:encoded': cdata('x'.repeat(2001)) }),
        named('words', { 'content:encoded': cdata('a_'.repeat(50_000)) }),
        named('control', { title: 'a\x0Bb\x1F' }),
      ),
    )
    expect(why).toEqual([
      expect.stringMatching(/^title holds NUL/),
      expect.stringMatching(/^content:encoded holds NUL/),
      'title has 301 characters; at most 300 fit',
      'content:encoded has 500007 characters; at most 500000 fit',
      'is longer than 4194304 characters',
      'category has 1001 names; at most 1000 are read',
      'is in more than 10000 terms',
      'excerpt:encoded has 2001 characters; at most 2000 fit',
      expect.stringMatching(/^content:encoded holds too many long words/),
    ])
    expect(records).toEqual([expect.objectContaining({ slug: 'control' })])
  })

  it.each([
    ['depth', (of: string) => of.replace('<item>', `<item>${'<a>'.repeat(1000)}`), /nests elements more than 100 deep/],
    [
      'attributes',
      (of: string) => of.replace('<item>', `<item ${Array.from({ length: 1000 }, (_, n) => `a${n}=""`).join(' ')}>`),
      /more than 100 attributes/,
    ],
    ['an attribute', (of: string) => of.replace('<item>', `<item a="${'x'.repeat(1_000_000)}">`), /not well-formed/],
    ['a name', (of: string) => of.replace('<item>', `<${'x'.repeat(1_000_000)}>`), /not well-formed/],
    ['an entity', (of: string) => of.replace('<item>', `<item>&${'x'.repeat(1_000_000)}`), /not well-formed|entity/],
  ])('bounds %s', async (_name, change, message) => {
    const { why, records } = await read(change(xml('', item({}))))
    expect(why).toEqual([expect.stringMatching(message)])
    expect(records).toEqual([])
  })
})
