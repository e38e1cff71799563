import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { expect } from '@jest/globals'
import type { ArticleRecord } from '../../src/content/content-record.ts'
import { openContentSource } from '../../src/content/content-source.ts'
import type { Reading } from '../../src/content/reading.ts'

// Writes WordPress exports, and reads them without a database.

export type Fields = Readonly<Record<string, string | undefined>>

export const cdata = (text: string) => `<![CDATA[${text}]]>`

/** An item of an export that is public unless `fields` say otherwise. */
export function item({ more = '', ...fields }: Fields): string {
  const all: Fields = {
    title: 'An item',
    'content:encoded': cdata('Text'),
    'wp:post_date_gmt': '2024-01-01 00:00:00',
    'wp:status': 'publish',
    'wp:post_type': 'post',
    ...fields,
  }
  const elements = Object.entries(all).map(([name, text]) => (text === undefined ? '' : `<${name}>${text}</${name}>`))
  return `<item>\n${elements.join('\n')}\n${more}</item>`
}

export function xml(header: string, ...items: readonly string[]): string {
  return `<?xml version="1.0" encoding="UTF-8" ?>
<!-- generator="WordPress/6.5" -->
<rss version="2.0" xmlns:excerpt="http://wordpress.org/export/1.2/excerpt/" xmlns:content="http://purl.org/rss/1.0/modules/content/"
  xmlns:wfw="http://wellformedweb.org/CommentAPI/" xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:wp="http://wordpress.org/export/1.2/">
<channel><title>A blog</title><wp:wxr_version>1.2</wp:wxr_version>${header}\n${items.join('\n')}\n</channel></rss>\n`
}

/** Reads an export. Checks that as many readings come as were foretold. */
export async function read(text: string | Buffer) {
  const folder = await mkdtemp(path.join(tmpdir(), 'stet-wordpress-'))
  const readings: Reading[] = []
  let total = 0
  try {
    const file = path.join(folder, 'export.xml')
    await writeFile(file, text)
    const source = await openContentSource(file, { author: 'nobody', slugsFromPath: false })
    total = await source.prepare()
    for await (const reading of source.read()) readings.push(reading)
  } finally {
    await rm(folder, { recursive: true })
  }
  expect(readings.filter((reading) => !('unread' in reading))).toHaveLength(total)
  return {
    readings,
    records: readings.flatMap((it) => ('record' in it ? [it.record] : [])),
    why: readings.flatMap((it) => ('problem' in it ? [it.problem] : 'unread' in it ? [it.unread] : [])),
  }
}

export async function articles(text: string | Buffer): Promise<readonly ArticleRecord[]> {
  const { records, why } = await read(text)
  expect(why).toEqual([])
  return records.filter((record) => record.type === 'article')
}

export async function notes(text: string): Promise<readonly string[]> {
  const { readings } = await read(text)
  return readings.flatMap((it) => ('record' in it ? (it.notes ?? []) : []))
}
