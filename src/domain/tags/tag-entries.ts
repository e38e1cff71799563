import { sql } from 'kysely'
import { anyRowTag, fieldTag } from '../../cache/index.ts'
import { type CachedTable, cachedIds, cachedList, cachedRows } from '../../database/index.ts'
import { perRequest } from '../../graphql/resolving/index.ts'
import type { Tag } from '../../graphql/schema/index.ts'
import { codeOf } from '../../kernel/code-of.ts'

export const tagOrder = { name: 'NAME', keyType: 'text' } as const

export type TagSource = Omit<CachedTable, 'table' | 'code'>

/** The cached kinds of tags: their SQL, and the cache tags that invalidate them. */
export function tagEntries(parts: TagSource) {
  const source = { ...parts, table: 'tags', code: codeOf('domain/tags/tag-entries.ts') } as const
  const byId = cachedRows<Tag>(source, {
    name: 'tag',
    columns: sql`id, slug, name, description`,
    policy: { writeThrough: true },
  })
  const idBySlug = cachedIds(source, { name: 'tag-by-slug', column: 'slug' })
  const list = cachedList(source, {
    name: 'tag',
    ordering: { value: sql`lower(name) collate "C"`, keyType: tagOrder.keyType, id: sql`id`, descending: false },
    tags: [anyRowTag('tags'), fieldTag('tags', 'name')],
  })

  return perRequest((load, { progress }) => ({
    byId: load(byId),
    /** Caches the tag as this request has written it, so that the next read is a hit. Undefined: the tag was deleted. */
    keep: (id: number, tag: Tag | undefined) => byId.writeThrough(id, tag, progress.wroteFrom),
    idBySlug: load(idBySlug),
    pages: load(list.pages),
    count: load(list.count),
  }))
}

/** The loaders of tags of one request. */
export type TagEntries = ReturnType<typeof tagEntries>
