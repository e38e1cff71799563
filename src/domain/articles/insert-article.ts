import type { InsertObject, Transaction } from 'kysely'
import type { Tables } from '../../database/index.ts'
import { ClientError } from '../../kernel/errors.ts'
import { slugify } from '../slugify.ts'

export const MAX_SLUG = 200

/**
 * Inserts an article and returns its id. If no slug is given, makes one from the title.
 *
 * @throws SLUG_TAKEN if a slug cannot be made because too many articles of this title are inserted at the same time
 */
export async function insertArticle(
  transaction: Transaction<Tables>,
  {
    slug,
    ...values
  }: Omit<InsertObject<Tables, 'articles'>, 'slug' | 'title'> & { readonly slug?: string; readonly title: string },
): Promise<number> {
  const insert = (slug: string) =>
    transaction
      .insertInto('articles')
      .values({ ...values, slug })
      .returning('id')
  if (slug !== undefined) return (await insert(slug).executeTakeFirstOrThrow()).id
  for (let attempt = 0; attempt < 100; attempt++) {
    const made = await freeSlug(transaction, values.title)
    const inserted = await insert(made)
      .onConflict((conflict) => conflict.column('slug').doNothing())
      .executeTakeFirst()
    if (inserted) return inserted.id
    // Another transaction has taken this slug since we looked, and has committed: the next look sees it.
  }
  throw new ClientError('SLUG_TAKEN', 'Many articles of this title are made just now: try again.')
}

/** A slug made from the title, with a number at its end if other articles have it. */
async function freeSlug(transaction: Transaction<Tables>, title: string): Promise<string> {
  const slug = slugify(title, MAX_SLUG - 8)
  const rows = await transaction
    .selectFrom('articles')
    .select('slug')
    .where((where) => where.or([where('slug', '=', slug), where('slug', '~', `^${slug}-[0-9]+$`)]))
    .execute()
  const taken = new Set(rows.map((row) => row.slug))
  if (!taken.has(slug)) return slug
  let number = 2
  while (taken.has(`${slug}-${number}`)) number++
  return `${slug}-${number}`
}
