import { execFileSync } from 'node:child_process'
import { mkdir, rename, symlink, unlink, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { beforeEach, describe, expect, it } from '@jest/globals'
import { useContent } from '../../test/harness/use-content.ts'
import { importContent } from './import-content.ts'
import { openFile, readWhole } from './open-file.ts'

const content = await useContent()
const outside = path.join(content.home, 'outside')
let folder: string

beforeEach(async () => {
  await content.clear()
  folder = content.folder
  await write('good.md', 'Good')
})

describe('importContent', () => {
  it('reports links that lead out of the folder, and imports nothing behind them', async () => {
    await mkdir(path.join(outside, 'folder'), { recursive: true })
    await writeFile(path.join(outside, 'secret.md'), 'Secret')
    await writeFile(path.join(outside, 'folder/secret.md'), 'Secret')
    await writeFile(path.join(outside, 'users.jsonl'), '{"type":"user","username":"mallory","role":"ADMIN"}')
    await link('posts/x.md', '/etc/passwd')
    await link('posts/y.md', path.join(outside, 'secret.md'))
    await link('posts/z.md', '../../outside/secret.md')
    await link('posts/chain.md', 'next.md')
    await link('posts/next.md', path.join(outside, 'secret.md'))
    await link('users.jsonl', path.join(outside, 'users.jsonl'))
    await link('folder', path.join(outside, 'folder'))
    await link('up', '..')
    await link('beside', `${folder}-beside`)
    await mkdir(`${folder}-beside`)
    await writeFile(`${folder}-beside/secret.md`, 'Secret')
    const out = 'is a link that leads out of the folder'
    expect(await problems()).toEqual([
      `beside:1 ${out}`,
      `folder:1 ${out}`,
      `posts/chain.md:1 ${out}`,
      `posts/next.md:1 ${out}`,
      `posts/x.md:1 ${out}`,
      `posts/y.md:1 ${out}`,
      `posts/z.md:1 ${out}`,
      `up:1 ${out}`,
      `users.jsonl:1 ${out}`,
    ])
    expect(await slugs()).toEqual(['good'])
  })

  it('follows links within the folder, and finds each file once', async () => {
    await write('.vault/a.md', 'A')
    await write('.vault/sub/b.md', 'B')
    await write('plain/c.md', 'C')
    await write('notes.txt', 'D')
    await link('vault', '.vault')
    await link('also', '.vault/sub')
    await link('.vault/self', '.')
    await link('.vault/up', '..')
    await link('loop-a.md', 'loop-b.md')
    await link('loop-b.md', 'loop-a.md')
    await link('again.md', 'plain/c.md')
    await link('plain-again', 'plain')
    await link('d.md', 'notes.txt')
    await link('d-again.md', 'notes.txt')
    await link('gone.md', 'absent.md')
    await link('picture.png', '/etc/passwd')
    expect(await problems()).toEqual([
      'gone.md:1 is a link that leads nowhere',
      'loop-a.md:1 is a link that leads nowhere',
      'loop-b.md:1 is a link that leads nowhere',
    ])
    expect(await slugs()).toEqual(['a', 'b', 'c', 'd-again', 'good'])
  })

  it('reports what is no regular file, and waits for none of it', async () => {
    execFileSync('mkfifo', [path.join(folder, 'pipe.md'), path.join(folder, '.pipe')])
    await link('linked-pipe.md', '.pipe')
    await link('device.md', '/dev/zero')
    await link('zero.jsonl', '/dev/zero')
    expect(await problems()).toEqual([
      'device.md:1 is a link that leads out of the folder',
      'linked-pipe.md:1 is not a regular file',
      'pipe.md:1 is not a regular file',
      'zero.jsonl:1 is a link that leads out of the folder',
    ])
    expect(await slugs()).toEqual(['good'])
  })

  it('imports a folder, and a file, that the caller names by a link', async () => {
    await symlink(folder, `${folder}-link`)
    expect(await importContent(content.db, `${folder}-link`)).toMatchObject({ articles: { created: 1 } })
    await symlink(path.join(folder, 'good.md'), `${folder}-good.md`)
    expect(await importContent(content.db, `${folder}-good.md`)).toMatchObject({ articles: { unchanged: 1 } })
  })

  it('reports what is far more than people write, by file and reason, and imports the rest', async () => {
    const keys = (length: number) => Array.from({ length }, (_, index) => `key${index}: 1`).join('\n')
    const aliases = (name: string, of: string) => `${name}: &${name} [${Array(9).fill(of).join(', ')}]\n`
    await write('fields.md', matter(keys(60_000)))
    await write('fewer-fields.md', matter(keys(5000)))
    await write('twice.md', matter(`${keys(4000)}\nkey17: 2`))
    await write('nested.md', matter(`a: ${'['.repeat(30_000)}${']'.repeat(30_000)}`))
    await write('maps.md', matter(`a: ${'{a: '.repeat(12_000)}${'}'.repeat(12_000)}`))
    await write('blocks.md', matter(`a:\n${'- '.repeat(30_000)}x`))
    await write(
      'bomb.md',
      matter(`${aliases('a', 'x')}${aliases('b', '*a')}${aliases('c', '*b')}${aliases('d', '*c')}`),
    )
    await write('tags.md', matter(`tags: [${'a, '.repeat(20_000)}]`))
    await write('million-tags.jsonl', JSON.stringify({ ...ARTICLE, tags: Array(500_000).fill('a') }))
    await write('views.jsonl', JSON.stringify({ ...ARTICLE, slug: 'many-views', views: 2 ** 31 }))
    await write(
      'rounded.jsonl',
      JSON.stringify({ ...ARTICLE, slug: 'rounded', updatedAt: '9999-12-31T23:59:59.9999999Z' }),
    )
    await write('before.jsonl', JSON.stringify({ ...ARTICLE, slug: 'before', createdAt: '0001-01-01T00:00:00+14:00' }))
    await write('title.md', matter(`title: ${'x'.repeat(1_000_000)}`))
    await write('title.jsonl', JSON.stringify({ ...ARTICLE, title: 'x'.repeat(1_000_000) }))
    await write('deep.jsonl', `{"type":${'['.repeat(1_000_000)}${']'.repeat(1_000_000)}}`)
    await write('username.md', matter(`author: { name: Ada, username: "${'a'.repeat(60_000)}" }`))
    await write('heading.md', `# ${'['.repeat(240_000)}`)
    await write('heading-links.md', `# ${'[]('.repeat(80_000)}`)
    await write('heading-marks.md', `# ${' #'.repeat(120_000)}x`)
    await write('heading-tags.md', `# ${'<'.repeat(240_000)}`)
    await write('huge.md', 'x'.repeat(4 * 1024 * 1024 + 1))
    await write('long.md', 'x'.repeat(500_001))
    await write('words.md', 'a_'.repeat(50_000))
    await write('comments.md', '<!--'.repeat(25_000))
    expect(await problems()).toEqual([
      'before.jsonl:1 createdAt is not a date: "0001-01-01T00:00:00+14:00"; write it as 2024-01-31, in the years 1 to 9999',
      'blocks.md:3 front matter is not valid YAML: it is nested too deep',
      'bomb.md:1 front matter is not valid YAML: Excessive alias count indicates a resource exhaustion attack',
      'comments.md:1 body holds more than 100 HTML comments that are never closed',
      'deep.jsonl:1 type should be one of user, tag, article, not a list',
      expect.stringMatching(/^fields.md:1 front matter has \d+ characters; at most 65536 are read/),
      'heading-links.md:1 heading is too long for a title: 300 characters fit',
      'heading-marks.md:1 heading is too long for a title: 300 characters fit',
      'heading-tags.md:1 heading is too long for a title: 300 characters fit',
      'heading.md:1 heading is too long for a title: 300 characters fit',
      'huge.md:1 is longer than 4194304 bytes',
      'long.md:1 body has 500001 characters; at most 500000 fit',
      'maps.md:2 front matter is not valid YAML: it is nested too deep',
      'million-tags.jsonl:1 tags has 500000 names; at most 100000 are read',
      'nested.md:2 front matter is not valid YAML: it is nested too deep',
      'tags.md:2 tags has 20000 names; at most 1000 are read',
      'title.jsonl:1 title has 1000000 characters; at most 300 fit',
      expect.stringMatching(/^title.md:1 front matter has \d+ characters; at most 65536 are read/),
      'twice.md:4002 front matter is not valid YAML: Map keys must be unique',
      'username.md:2 author has 60000 characters; at most 100 fit',
      'views.jsonl:1 views is 2147483648; at most 2147483647 fit',
      expect.stringMatching(/^words.md:1 body holds too many long words/),
    ])
    // A microsecond is the least that fits: a smaller part of a second is left out, so that the day stays.
    expect(await slugs()).toEqual(['fewer-fields', 'good', 'rounded'])
  })

  it('reports values that hold themselves, or are no text at all', async () => {
    const deep = `${'['.repeat(300)}${']'.repeat(300)}`
    for (const field of ['title', 'date', 'draft', 'views', 'slug', 'author', 'description']) {
      await write(`${field}-self.md`, matter(`${field}: &a [*a]`))
      await write(`${field}-deep.md`, matter(`${field}: ${deep}`))
    }
    await write('surrogate.md', matter('title: "\\uD83D"'))
    await write('nul.md', matter('description: "a\\0b"'))
    await write('tag.md', matter('tags: ["\\uD83D"]'))
    const found = await problems()
    expect(found).toHaveLength(17)
    expect(found.filter((problem) => !/should be|is not a date|neither a name|can't be stored/.test(problem))).toEqual(
      [],
    )
    expect(await slugs()).toEqual(['good'])
  })
})

describe('openFile', () => {
  it('does not read what a path was changed to lead to after it was looked at', async () => {
    await write('posts/a.md', 'A')
    await mkdir(path.join(outside, 'posts'), { recursive: true })
    await writeFile(path.join(outside, 'posts/a.md'), 'Secret')
    const handle = await openFile(folder, 'posts/a.md')
    expect((await readWhole(handle, 10))?.toString()).toBe('A')
    await handle.close()
    await rename(path.join(folder, 'posts'), path.join(folder, 'before'))
    await symlink(path.join(outside, 'posts'), path.join(folder, 'posts'))
    await expect(openFile(folder, 'posts/a.md')).rejects.toThrow('leads out of the folder')
  })

  it('never gives a file outside, however often the path changes meanwhile', async () => {
    await write('.a.md', 'A')
    await writeFile(path.join(outside, 'secret.md'), 'Secret')
    const whole = path.join(folder, 'turning.md')
    let isOver = false
    const turn = async () => {
      for (let turns = 0; !isOver; turns++) {
        await symlink(turns % 2 ? '.a.md' : path.join(outside, 'secret.md'), `${whole}-next`)
        await rename(`${whole}-next`, whole)
      }
    }
    const turning = turn()
    const read = new Set<string>()
    for (let tries = 0; tries < 2000; tries++) {
      const handle = await openFile(folder, 'turning.md').catch(() => undefined)
      if (!handle) continue
      read.add(String(await readWhole(handle, 10)))
      await handle.close()
    }
    isOver = true
    await turning
    await unlink(whole)
    expect([...read]).toEqual(['A'])
  })
})

const ARTICLE = { type: 'article', slug: 'a', title: 'A', body: 'Text', author: 'ada', publishedAt: '2024-01-01' }

const matter = (yaml: string) => `---\n${yaml}\n---\nText`

/** Imports the folder, and returns what was left out, in the order of the names. */
async function problems(): Promise<readonly string[]> {
  return (await content.import()).why('skipped')
}

async function slugs(): Promise<readonly string[]> {
  return (await content.db.selectFrom('articles').select('slug').orderBy('slug').execute()).map(({ slug }) => slug)
}

const write = (file: string, text: string) => content.write(file, text)

async function link(file: string, target: string): Promise<void> {
  const whole = path.join(folder, file)
  await mkdir(path.dirname(whole), { recursive: true })
  await symlink(target, whole)
}
