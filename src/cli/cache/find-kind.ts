import type { Cache, NamedKind } from '../../cache/index.ts'
import { UsageError } from '../output.ts'

/** The kind of that name, and the whole key of one of its entries. Throws where there is no such kind. */
export function findKind(cache: Cache, name: string, key: string): { readonly kind: NamedKind; readonly key: string } {
  const kind = cache.find(name)
  if (kind) return { kind, key: key.startsWith(kind.prefix) ? key : kind.keyOf(key) }
  const names = cache.kinds.map((each) => each.name).join(', ')
  throw new UsageError(`There is no kind ${JSON.stringify(name)}, but ${names}.`)
}
