import { describe, expect, it } from '@jest/globals'
import { articles, cdata, item, notes, read, xml } from '../../test/harness/wordpress-export.ts'

describe('a WordPress export', () => {
  it('gives its authors, categories, tags, posts and pages', async () => {
    const { records, why } = await read(
      xml(
        `<wp:author><wp:author_id>1</wp:author_id><wp:author_login><![CDATA[Ada L]]></wp:author_login>
          <wp:author_email><![CDATA[ada@example.com]]></wp:author_email><wp:author_display_name><![CDATA[Ada &amp; L.]]></wp:author_display_name></wp:author>
        <wp:category><wp:term_id>1</wp:term_id><wp:category_nicename>food</wp:category_nicename><wp:category_parent></wp:category_parent>
          <wp:cat_name><![CDATA[Food &amp; Drink]]></wp:cat_name><wp:category_description><![CDATA[What we <em>eat</em>]]></wp:category_description></wp:category>
        <wp:tag><wp:tag_slug>%d1%81%d0%be%d0%bb%d1%8c</wp:tag_slug><wp:tag_name><![CDATA[соль]]></wp:tag_name></wp:tag>
        <wp:term><wp:term_taxonomy>genre</wp:term_taxonomy><wp:term_slug>noir</wp:term_slug></wp:term>
        <wp:term><wp:term_taxonomy>post_tag</wp:term_taxonomy><wp:term_slug>sea</wp:term_slug><wp:term_name><![CDATA[Sea]]></wp:term_name></wp:term>`,
        item({
          title: 'Salt &#8217;n&#8217; &lt;pepper&gt;',
          'dc:creator': cdata('Ada L'),
          'content:encoded': cdata('A rock.\n\nAnother.'),
          'excerpt:encoded': cdata('In <b>short</b>'),
          'wp:post_date_gmt': '2024-05-01 10:20:30',
          'wp:post_modified_gmt': '2024-06-01 10:20:30',
          'wp:post_name': 'salt',
          more: `<category domain="category" nicename="food">${cdata('Food &amp; Drink')}</category>
            <category domain="post_tag" nicename="%d1%81%d0%be%d0%bb%d1%8c">${cdata('соль')}</category>
            <category domain="post_format" nicename="post-format-aside">${cdata('Aside')}</category>
            <wp:postmeta><wp:meta_key>_edit_last</wp:meta_key><wp:meta_value>${cdata('1')}</wp:meta_value></wp:postmeta>
            <wp:postmeta><wp:meta_key>mood</wp:meta_key><wp:meta_value>${cdata('good')}</wp:meta_value></wp:postmeta>
            <wp:comment><wp:comment_content>${cdata('First!')}</wp:comment_content></wp:comment>`,
        }),
        item({ title: 'About', 'wp:post_type': 'page', 'wp:post_name': 'about' }),
      ),
    )
    expect(why).toEqual(['is a term of the taxonomy genre, not a category or a tag'])
    expect(records).toEqual([
      { type: 'author', username: 'ada-l', displayName: 'Ada & L.', email: 'ada@example.com' },
      { type: 'tag', slug: 'food', name: 'Food & Drink', description: 'What we eat' },
      { type: 'tag', slug: expect.stringMatching(/^[0-9a-f]{8}$/), name: 'соль' },
      { type: 'tag', slug: 'sea', name: 'Sea' },
      {
        type: 'article',
        slug: 'salt',
        title: 'Salt ’n’ <pepper>',
        summary: 'In short',
        body: '<p>A rock.</p>\n<p>Another.</p>',
        status: 'PUBLISHED',
        author: { username: 'ada-l', displayName: 'Ada L' },
        tags: [{ slug: 'food', name: 'Food & Drink' }, expect.objectContaining({ name: 'соль' })],
        publishedAt: '2024-05-01T10:20:30Z',
        createdAt: '2024-05-01T10:20:30Z',
        updatedAt: '2024-06-01T10:20:30Z',
      },
      expect.objectContaining({ slug: 'about', title: 'About', status: 'PUBLISHED' }),
    ])
    expect(await notes(xml('', item({ more: '<wp:comment/><category domain="genre">x</category>' })))).toEqual([
      'not read of it: 1 comments, terms of genre',
    ])
  })

  it.each([undefined, '', '\u200b', cdata('<b>\u2060</b>'), cdata(' ')])(
    'gets a title if nothing of its own can be seen, and says so: %j',
    async (title) => {
      const exported = xml('', item({ title, 'wp:post_name': 'a' }))
      expect((await articles(exported))[0]?.title).toBe('Untitled')
      expect(await notes(exported)).toContain('has no title that can be seen, and gets "Untitled"')
    },
  )

  it.each([
    ['draft', { 'wp:status': 'draft' }, 'status is draft'],
    ['pending', { 'wp:status': 'pending' }, 'status is pending'],
    ['private', { 'wp:status': cdata('private') }, 'status is private'],
    ['future', { 'wp:status': 'future' }, 'status is future'],
    ['trash', { 'wp:status': 'trash' }, 'status is trash'],
    ['inherit', { 'wp:status': 'inherit' }, 'status is inherit'],
    ['auto-draft', { 'wp:status': 'auto-draft' }, 'status is auto-draft'],
    ['a status of a plugin', { 'wp:status': 'archived' }, 'status is archived'],
    ['a status in capitals', { 'wp:status': 'PUBLISH' }, 'status is PUBLISH'],
    ['an empty status', { 'wp:status': '' }, 'it has no status'],
    ['no status', { 'wp:status': undefined }, 'it has no status'],
    ['a password', { 'wp:post_password': cdata('secret') }, 'it has a password'],
    ['a password that PHP takes for none', { 'wp:post_password': '0' }, 'it has a password'],
    ['a password of one space', { 'wp:post_password': cdata(' ') }, 'it has a password'],
    ['a date to come', { 'wp:post_date_gmt': '2099-01-01 00:00:00' }, 'its date is in the future'],
    ['no body', { 'content:encoded': cdata('<!--more-->\n') }, 'it has no body'],
  ])('is held back by %s', async (_name, fields, reason) => {
    const { readings } = await read(xml('', item(fields)))
    expect(readings).toEqual([expect.objectContaining({ heldBack: [reason] })])
    expect(readings[0]).toMatchObject({ record: { status: 'DRAFT', publishedAt: undefined } })
  })

  it('holds back or refuses an item that contradicts itself', async () => {
    const twice = item({ 'wp:status': 'draft', more: '<wp:status>publish</wp:status>' })
    const within = item({ 'wp:status': 'draft<wp:status>publish</wp:status>' })
    const later = item({ 'wp:status': undefined, more: '<wp:other><wp:status>publish</wp:status></wp:other>' })
    const split = item({ 'wp:status': '<![CDATA[pub]]>lish<![CDATA[ed]]>' })
    const { why, readings } = await read(xml('', twice, within, later, split))
    expect(why).toEqual(['has wp:status twice', 'wp:status holds elements of XML and not text'])
    expect(readings.flatMap((it) => ('record' in it ? [it.heldBack] : []))).toEqual([
      ['it has no status'],
      ['status is published'],
    ])
  })

  it.each([
    ['in UTC', { 'wp:post_date_gmt': '2024-02-29 23:59:59' }, '2024-02-29T23:59:59Z', []],
    ['as a feed has it', { pubDate: 'Thu, 29 Feb 2024 12:00:00 +0200' }, '2024-02-29T12:00:00+02:00', []],
    [
      'without a zone',
      { 'wp:post_date': '2024-02-29 12:00:00' },
      '2024-02-29T12:00:00Z',
      ['its date has no time zone, and is taken to be in UTC'],
    ],
    ['as zeros', { 'wp:post_date': '0000-00-00 00:00:00' }, undefined, []],
    ['as the zeros of a feed', { pubDate: 'Wed, 30 Nov -0001 00:00:00 +0000' }, undefined, []],
    ['as a year before all years', { 'wp:post_date': '-0001-11-30 00:00:00' }, undefined, []],
  ])('takes a date %s', async (_name, fields, date, said) => {
    const [reading] = (await read(xml('', item({ 'wp:post_date_gmt': '0000-00-00 00:00:00', ...fields })))).readings
    expect(reading).toMatchObject({ record: { publishedAt: date, createdAt: date }, notes: said })
  })

  it('reports dates that are none', async () => {
    const dates = ['2024-02-30 00:00:00', '2024-02-28 24:00:00', 'yesterday']
    const { why } = await read(xml('', ...dates.map((it) => item({ 'wp:post_date_gmt': it }))))
    expect(why).toEqual(dates.map((it) => expect.stringContaining(`wp:post_date_gmt is not a date: "${it}"`)))
  })

  it('names everything that is neither a post nor a page', async () => {
    const types = ['attachment', 'nav_menu_item', 'revision', 'product', 'wp_block', '']
    const { why, records } = await read(xml('', ...types.map((it) => item({ 'wp:post_type': it })), item({})))
    expect(why).toEqual(types.map((it) => `is an item of the type ${it || 'none'}, not a post or a page`))
    expect(records).toHaveLength(1)
  })

  it('gives every item a slug of its own, and no draft takes that of another', async () => {
    const post = (id: number, link: string, slug: string, status = 'publish', title = 'Salt') =>
      item({ title, link, 'wp:post_id': String(id), 'wp:post_name': slug, 'wp:status': status })
    const items = [
      post(1, 'https://example.com/?p=1', '', 'draft'),
      post(2, 'https://example.com/2024/salt/', 'salt'),
      post(3, 'https://example.com/?p=3', '', 'draft', 'Sea'),
      post(4, 'https://example.com/?p=4', '', 'draft', 'Sea'),
      post(5, 'https://example.com/a/team/', 'team'),
      post(6, 'https://example.com/b/team/', 'team'),
      post(7, 'https://example.com/x/', 'cr%c3%a8me'),
      post(8, 'no address', '%zz'),
      post(9, 'https://example.com/y/', 'gone__trashed', 'trash'),
    ]
    const slugsOf = async (order: readonly string[]) =>
      (await articles(xml('', ...order))).map(({ slug, status }) => `${slug} ${status}`)
    const slugs = await slugsOf(items)
    expect(slugs).toEqual([
      'salt-1 DRAFT',
      'salt PUBLISHED',
      expect.stringMatching(/^sea-[0-9a-f]{8} DRAFT$/),
      expect.stringMatching(/^sea-[0-9a-f]{8} DRAFT$/),
      'a-team PUBLISHED',
      'b-team PUBLISHED',
      'creme PUBLISHED',
      'zz PUBLISHED',
      'gone-trashed DRAFT',
    ])
    expect(await slugsOf([...items].reverse())).toEqual([...slugs].reverse())
  })

  it('keeps logins that make the same username apart, and makes an author whom the header does not name', async () => {
    const author = (login: string, email: string) =>
      `<wp:author><wp:author_login>${login}</wp:author_login><wp:author_email>${email}</wp:author_email></wp:author>`
    const by = (login: string) => item({ title: login, 'dc:creator': login })
    const { records, readings } = await read(
      xml(
        author('john.doe', 'a@example.com') + author('John Doe', 'none') + author('john-doe', '') + author('', ''),
        ...['john.doe', 'John Doe', 'john-doe', 'ghost', ''].map(by),
      ),
    )
    const usernames = records.map((record) =>
      record.type === 'article' ? record.author.username : record.type === 'author' ? record.username : '',
    )
    const [first = '', second = '', third = ''] = usernames
    expect(usernames).toEqual([first, second, 'john-doe', first, second, third, 'ghost', 'nobody'])
    expect(new Set([first, second, third]).size).toBe(3)
    expect(readings.flatMap((it) => ('record' in it ? (it.notes ?? []) : []))).toEqual([
      'the e-mail address of its author is none, and is left out: "none"',
      'has no title that can be seen, and gets "Untitled"',
    ])
    expect(readings).toContainEqual(expect.objectContaining({ problem: 'wp:author_login is missing' }))
  })

  it('brings in a category and a tag of one name once', async () => {
    const { records, why } = await read(
      xml(
        `<wp:category><wp:category_nicename>salt</wp:category_nicename><wp:cat_name>Salt</wp:cat_name></wp:category>
        <wp:tag><wp:tag_slug>salt</wp:tag_slug><wp:tag_name>salt</wp:tag_name></wp:tag>
        <wp:tag><wp:tag_slug></wp:tag_slug><wp:tag_name>Bread</wp:tag_name></wp:tag>
        <wp:tag><wp:tag_slug></wp:tag_slug><wp:tag_name></wp:tag_name></wp:tag>`,
        item({ more: '<category domain="category" nicename="salt">Salt</category><category>salt</category>' }),
      ),
    )
    expect(records.map((record) => ('slug' in record ? record.slug : ''))).toEqual(['salt', 'bread', 'an-item'])
    expect(why).toEqual(['has the name of another tag or author of the export', 'wp:tag has neither a name nor a slug'])
    expect(records.at(-1)).toMatchObject({ tags: [{ slug: 'salt', name: 'Salt' }] })
  })
})
