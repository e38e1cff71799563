import { quote } from '../kernel/input.ts'
import { isVisible } from '../kernel/visible.ts'
import type { ContentRecord, Place } from './content-record.ts'
import { JSON_LINES } from './find-content.ts'

/**
 * Says which title or name of a record can't be seen: a clause. Undefined if all can be. Not for JSON Lines: the tables admit such texts, so
 * `exportContent` writes them, and they must come back. An empty text is the database's to refuse.
 */
export function whyUnseen({ at, record }: { readonly at: Place; readonly record: ContentRecord }): string | undefined {
  if (JSON_LINES.test(at.file)) return undefined
  for (const [field, text] of namesOf(record)) {
    if (text && !isVisible(text)) return `${field} has nothing that can be seen: ${quote(text)}`
  }
  return undefined
}

function namesOf(record: ContentRecord): readonly (readonly [field: string, text: string | undefined])[] {
  switch (record.type) {
    case 'user':
    case 'author':
      return [['displayName', record.displayName]]
    case 'tag':
      return [['name', record.name]]
    case 'article': {
      const tags = record.tags.map(({ name }) => ['tags', name] as const)
      return [['title', record.title], ['author', record.author.displayName], ...tags]
    }
    default:
      throw record satisfies never
  }
}
