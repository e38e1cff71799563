import { beforeEach, expect, it } from '@jest/globals'
import { useContent } from '../../test/harness/use-content.ts'

const content = await useContent()

beforeEach(() => content.clear())

it('reads what has an odd name, and says what is no text', async () => {
  await content.write('new\nline.md', 'Text')
  await content.write('tab\tand\u001b[31m.md', 'Text')
  await content.write('latin.md', Buffer.from('caf\u00e9', 'latin1'))
  await content.write('wide.md', Buffer.from('\ufeffcaf\u00e9', 'utf16le'))
  const { report, outcomes } = await content.import()
  expect(outcomes.filter(({ outcome }) => outcome === 'imported').map(({ file }) => file)).toEqual([
    'new\nline.md',
    'tab\tand\u001b[31m.md',
  ])
  expect(report.reasons.skipped).toEqual({ 'is not UTF-8 text': 2 })
})

it.each([
  ['"status":"DRAFT","status":"PUBLISHED"', 'names "status" twice'],
  ['"status":"DRAFT","st\\u0061tus":"PUBLISHED"', 'names "status" twice'],
  ['"tags":[],"body":"\\"tags\\":","tags":["x"]', 'names "tags" twice'],
  ['"created_at":"2020-01-01","createdAt":"2021-01-01"', 'created_at and createdAt are one field, with two values'],
])('takes no record that says something twice: %s', async (fields, why) => {
  await content.write('all.jsonl', `{"type":"article","slug":"a","title":"A","author":"ann",${fields}}`)
  expect((await content.import()).why('skipped')).toEqual([`all.jsonl:1 ${why}`])
})
