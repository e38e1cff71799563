import { expect, it } from '@jest/globals'
import { bodyOf, etagOf, MEDIA_TYPES, represent, representUnchanged, writeKept, writeOnce } from './written-answer.ts'

const TAGS = ['articles:1', 'content-length: 7']
const TAG_LINES = 'surrogate-key: articles:1 content-length:%207\r\ncache-tag: articles:1,content-length:%207\r\n'
const PLAIN = { mediaType: MEDIA_TYPES[0], encoded: undefined, isPublic: true, variesByOrigin: false }
const OTHER = { ...PLAIN, mediaType: MEDIA_TYPES[1] }

for (const body of ['{"data":"It stands."}\n', '{"data":"dur\u00e9e"}\n', '{"data":"\u0436 \u{1f5ff}"}\n']) {
  it(`writes ${JSON.stringify(body)} as the bytes of its UTF-8, whatever it is sent as`, () => {
    const utf8 = Buffer.from(body)
    const kept = writeKept(body, TAGS)
    for (const answer of [kept, writeOnce(body)]) {
      expect(Buffer.from(bodyOf(answer), 'latin1')).toEqual(utf8)
      expect(answer.bytes.slice(0, answer.bodyStart)).toContain(`content-length: ${utf8.length}\r\n\r\n`)
    }
    const { lines, rest } = represent(kept, OTHER, { withBody: true })
    expect(lines).toMatch(/^content-type: application\/graphql-response\+json/)
    expect(lines.endsWith(`etag: "${etagOf(kept)}.graphql"\r\n${TAG_LINES}content-length: ${utf8.length}\r\n`)).toBe(
      true,
    )
    expect(Buffer.from(rest, 'latin1')).toEqual(Buffer.concat([Buffer.from('\r\n'), utf8]))
  })
}

it('names the tags of an answer under both names, with a body, without one, and with none sent', () => {
  const kept = writeKept('{}\n', TAGS)
  const head = `etag: "${etagOf(kept)}"\r\n${TAG_LINES}content-length: 3\r\n\r\n`
  expect(represent(kept, PLAIN, { withBody: true }).rest).toBe(`${head}{}\n`)
  expect(represent(kept, PLAIN, { withBody: false }).rest).toBe(head)
  const unchanged = representUnchanged(kept, PLAIN)
  expect(unchanged.lines.endsWith(`etag: "${etagOf(kept)}"\r\n${TAG_LINES}`)).toBe(true)
  expect(unchanged.rest).toBe('\r\n')
})

it('names no tags if shared caches may not keep the answer, and no entity tag if nothing keeps it', () => {
  const mine = writeKept('{}\n', undefined)
  expect(mine.bytes).toBe(`etag: "${etagOf(mine)}"\r\ncontent-length: 3\r\n\r\n{}\n`)
  const kept = writeKept('{}\n', TAGS)
  expect(represent(kept, { ...PLAIN, isPublic: false }, { withBody: true }).lines).not.toContain('articles')
  const once = writeOnce('{}\n')
  expect([etagOf(once), once.bytes]).toEqual(['', 'content-length: 3\r\n\r\n{}\n'])
})

it('names all that an answer is chosen by in one line: of several, nginx before 1.23 takes the last alone', () => {
  const kept = writeKept('{}\n', TAGS)
  for (const variesByOrigin of [true, false]) {
    for (const form of [PLAIN, OTHER].map((it) => ({ ...it, variesByOrigin }))) {
      for (const { lines } of [represent(kept, form, { withBody: true }), representUnchanged(kept, form)]) {
        const origin = variesByOrigin ? ', Origin' : ''
        expect(lines.match(/^vary: .*$/gm)).toEqual([
          `vary: Accept, Accept-Encoding, Authorization, Stet-As-Of, Stet-Explain${origin}`,
        ])
      }
    }
  }
})
