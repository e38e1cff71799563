import { type Kysely, sql, type Transaction, type UpdateObject } from 'kysely'
import { differsFrom, type Tables } from '../../database/index.ts'
import type { ConstraintErrors, Context } from '../../graphql/resolving/index.ts'
import type { Article, CreateArticleInput, MutationResolvers, UpdateArticleInput } from '../../graphql/schema/index.ts'
import { fromGlobalId, isSelfOrAdmin, requireSignedIn, type Viewer } from '../../identity/index.ts'
import { ClientError } from '../../kernel/errors.ts'
import { badInput, checkLength, checkName, checkSlug, given, quote } from '../../kernel/input.ts'
import { whyUnsearchable } from '../unsearchable.ts'
import { type ArticleEntries, articleColumns, canSee } from './article-entries.ts'
import { insertArticle, MAX_SLUG } from './insert-article.ts'

export function articleMutations(articles: ArticleEntries): MutationResolvers {
  const apply = async (context: Context, change: Change, tags?: readonly string[] | null, tagsField = 'tags') => {
    const { viewer } = context
    const id = fromGlobalId('Article', change.globalId, change.field)
    const errors = constraintErrors(change.set)
    if (tags == null) {
      const article = await context.writeAtOnce((primary) => update(primary, viewer, id, change), errors)
      if (article) articles(context).keep(article)
    } else {
      const retag = (transaction: Transaction<Tables>) => replaceTags(transaction, id, tags, tagsField)
      await context.write((transaction) => updateWithTags(transaction, viewer, id, change, retag), errors)
    }
    return { id }
  }

  /** Call it only for a viewer who is signed in: rendering costs more than all other checks. */
  const checkRendering = async (body: string | null | undefined, context: Context) => {
    if (body == null) return
    const { refusal } = (await articles(context).rendering(body)) ?? {}
    if (refusal === undefined) return
    throw badInput('input.body', `input.body can't be rendered: ${refusal}. It begins with ${quote(body)}.`)
  }

  return {
    createArticle: async (_parent, { input }, context) => {
      const authorId = authorOf(input, context.viewer)
      const columns = checkArticle(input)
      await checkRendering(input.body, context)
      const id = await context.write(async (transaction) => {
        const id = await insertArticle(transaction, {
          ...columns,
          title: input.title,
          body: input.body,
          author_id: authorId,
          ...(input.status === 'PUBLISHED' ? published : { published_at: null }),
        })
        if (input.tags != null) await replaceTags(transaction, id, input.tags, 'input.tags')
        return id
      }, constraintErrors(input))
      return { id }
    },

    updateArticle: async (_parent, { input }, context) => {
      const { id: globalId, expectedVersion, tags } = input
      const change: Change = { globalId, field: 'input.id', set: checkArticle(input) }
      requireSignedIn(context.viewer)
      await checkRendering(input.body, context)
      if (expectedVersion == null) return apply(context, change, tags, 'input.tags')
      const otherwise = ({ version }: Changeable) => {
        const message = `The article is at version ${version}, not ${expectedVersion}: read it again.`
        throw new ClientError('VERSION_CONFLICT', message, { field: 'input.expectedVersion' })
      }
      return apply(context, { ...change, only: { version: expectedVersion }, otherwise }, tags, 'input.tags')
    },

    publishArticle: (_parent, { id }, context) =>
      apply(context, { globalId: id, field: 'id', set: published, only: { status: 'DRAFT' } }),

    unpublishArticle: (_parent, { id }, context) => {
      const set = { status: 'DRAFT', published_at: null } as const
      return apply(context, { globalId: id, field: 'id', set, only: { status: 'PUBLISHED' } })
    },

    setArticleTags: (_parent, { id, tags }, context) => apply(context, { globalId: id, field: 'id', set: {} }, tags),

    deleteArticle: async (_parent, { id: globalId }, context) => {
      const id = fromGlobalId('Article', globalId)
      const must = { id, ...ownedBy(context.viewer) }
      await context.writeAtOnce(async (primary) => {
        for (;;) {
          const query = primary.deleteFrom('articles').where((article) => article.and(must))
          const { numDeletedRows } = await query.executeTakeFirstOrThrow()
          if (numDeletedRows > 0n) return
          requireOwner(context.viewer, await find(primary, id).executeTakeFirst(), 'id')
        }
      })
      return { deletedId: globalId }
    },
  }
}

const published = { status: 'PUBLISHED', published_at: sql<Date>`now()` } as const

interface Change {
  readonly globalId: string
  /** The input field that holds the id, for errors. */
  readonly field: string
  readonly set: ArticleColumns
  /** What the article must be. Otherwise it is left unchanged, and `otherwise` is called, which may throw. */
  readonly only?: Partial<Pick<Article, 'status' | 'version'>>
  readonly otherwise?: (article: Changeable) => void
}

type ArticleColumns = UpdateObject<Tables, 'articles'> & { readonly slug?: string }

type Changeable = Pick<Article, 'id' | 'status' | 'published_at' | 'author_id' | 'version'> & {
  /** It is not yet as the change would make it. */
  readonly differs: boolean
}

/**
 * Changes an article. One statement both checks that `viewer` may change it and changes it, so no lock is needed.
 * Undefined if the article was left unchanged: also if it is as the change would make it.
 */
async function update(db: Kysely<Tables>, viewer: Viewer, id: number, change: Change): Promise<Article | undefined> {
  const { field, set } = change
  const must = { id, ...change.only, ...ownedBy(viewer) }
  for (;;) {
    const changed = await db
      .updateTable('articles')
      .set({ ...set, id })
      .where((article) => article.and(must))
      .where(differsFrom(set))
      .returning(articleColumns)
      .executeTakeFirst()
    if (changed) return changed
    const present = requireOwner(viewer, await find(db, id, set).executeTakeFirst(), field)
    if (!isAsItMust(present, change) || !present.differs) return undefined
    // Another write came between the two statements, and now the article is as it must be: try again.
  }
}

/** Changes an article and its tags. Other tags alone are an update too, and raise the version. Locks it first, because only then does it say whether anything changes. */
async function updateWithTags(
  transaction: Transaction<Tables>,
  viewer: Viewer,
  id: number,
  change: Change,
  retag: (transaction: Transaction<Tables>) => Promise<boolean>,
): Promise<void> {
  requireSignedIn(viewer)
  const { field, set } = change
  const present = requireOwner(viewer, await find(transaction, id, set).forNoKeyUpdate().executeTakeFirst(), field)
  if (!isAsItMust(present, change)) return
  const isRetagged = await retag(transaction)
  if (!isRetagged && !present.differs) return
  await transaction
    .updateTable('articles')
    .set({ ...set, id })
    .where('id', '=', id)
    .execute()
}

/** False if the article is not what `only` says, unless `otherwise` throws. */
function isAsItMust(article: Changeable, { only = {}, otherwise }: Change): boolean {
  const { status = article.status, version = article.version } = only
  if (status === article.status && version === article.version) return true
  otherwise?.(article)
  return false
}

const find = (db: Kysely<Tables>, id: number, set: ArticleColumns = {}) =>
  db
    .selectFrom('articles')
    .select(['id', 'status', 'published_at', 'author_id', 'version', differsFrom(set).as('differs')])
    .where('id', '=', id)

/** The columns that an article must have for `viewer` to change it: a condition for SQL. Throws UNAUTHENTICATED for a visitor. */
function ownedBy(viewer: Viewer): { readonly author_id?: number } {
  const { kind, userId } = requireSignedIn(viewer)
  return kind === 'admin' ? {} : { author_id: userId }
}

/**
 * Returns the article if `viewer` may change it. Throws FORBIDDEN otherwise, or NOT_FOUND if the viewer may not even see
 * it, so that nobody learns that a draft exists.
 */
function requireOwner(viewer: Viewer, article: Changeable | undefined, field: string): Changeable {
  if (!article || !canSee(viewer, article)) throw noSuchArticle(field)
  if (!isSelfOrAdmin(viewer, article.author_id)) {
    throw new ClientError('FORBIDDEN', 'Only its author and admins may change an article.', { field })
  }
  return article
}

export const noSuchArticle = (field: string) => new ClientError('NOT_FOUND', 'There is no such article.', { field })

function authorOf({ authorId }: CreateArticleInput, viewer: Viewer): number {
  const { kind, userId } = requireSignedIn(viewer)
  if (authorId == null) {
    if (userId !== undefined) return userId
    throw badInput('input.authorId', 'input.authorId must say whose article it is: the admin who asks is no user.')
  }
  const id = fromGlobalId('User', authorId, 'input.authorId')
  if (kind === 'admin' || id === userId) return id
  throw new ClientError('FORBIDDEN', 'Only an admin may write in the name of others.', { field: 'input.authorId' })
}

/** Checks the fields of an input, and returns the columns of those that are given. */
function checkArticle({ title, slug, summary, body }: CreateArticleInput | UpdateArticleInput) {
  if (title != null) checkLength('input.title', title, { min: 1, max: 300 })
  if (slug != null) checkSlug('input.slug', slug, MAX_SLUG)
  if (summary != null) checkLength('input.summary', summary, { max: 2000 })
  if (body != null) checkLength('input.body', body, { max: 500_000 })
  const why = body == null ? undefined : whyUnsearchable(body)
  if (why !== undefined) throw badInput('input.body', `input.body ${why}. It begins with ${quote(body ?? '')}.`)
  return given({ title, slug, summary, body })
}

const MAX_TAGS = 100

/** Gives an article the tags with these slugs, and no others. Returns whether that changed anything. */
async function replaceTags(
  transaction: Transaction<Tables>,
  articleId: number,
  slugs: readonly string[],
  field: string,
): Promise<boolean> {
  const unique = [...new Set(slugs)]
  if (unique.length > MAX_TAGS) throw badInput(field, `${field} must be at most ${MAX_TAGS}, not ${unique.length}.`)
  for (const slug of unique) checkName(field, slug)
  const found =
    unique.length === 0
      ? []
      : await transaction
          .selectFrom('tags')
          .select(['id', 'slug'])
          .where('slug', 'in', unique)
          // Locks the tags, so that none of them is deleted before the article has it.
          .forKeyShare()
          .execute()
  const unknown = unique.filter((slug) => !found.some((tag) => tag.slug === slug))
  if (unknown.length > 0) {
    const names = unknown.slice(0, MAX_NAMED).map(quote).join(', ')
    const more = unknown.length > MAX_NAMED ? ` and ${unknown.length - MAX_NAMED} more` : ''
    throw badInput(field, `${field} must be slugs of tags; there is no tag with the slug ${names}${more}.`)
  }
  const ids = found.map(({ id }) => id)
  const current = transaction.deleteFrom('article_tags').where('article_id', '=', articleId)
  const gone = await (ids.length > 0 ? current.where('tag_id', 'not in', ids) : current).executeTakeFirst()
  if (ids.length === 0) return gone.numDeletedRows > 0n
  const come = await transaction
    .insertInto('article_tags')
    .values(ids.map((tag_id) => ({ article_id: articleId, tag_id })))
    .onConflict((conflict) => conflict.doNothing())
    .executeTakeFirst()
  return gone.numDeletedRows > 0n || (come.numInsertedOrUpdatedRows ?? 0n) > 0n
}

/** How many values a message names. */
const MAX_NAMED = 5

const constraintErrors = ({
  slug = '',
  authorId,
}: {
  readonly slug?: string | null
  readonly authorId?: string | null
}): ConstraintErrors => ({
  articles_slug_key: ['SLUG_TAKEN', `Another article has the slug ${quote(slug ?? '')}.`, 'input.slug'],
  articles_author_id_fkey:
    authorId == null
      ? ['BAD_USER_INPUT', 'The user that the token names is not there any more.']
      : [
          'BAD_USER_INPUT',
          `input.authorId must be the id of a User; there is none with ${quote(authorId)}.`,
          'input.authorId',
        ],
})
