import { sql, type Transaction } from 'kysely'
import { type ConstraintErrors, explainConstraints } from '../database/constraint-errors.ts'
import type { Tables } from '../database/tables.ts'
import { AskerError } from '../kernel/errors.ts'
import type { Context } from '../request/context.ts'
import { fromGlobalId } from '../request/global-id.ts'
import { checkLength, checkName, checkSlug, given, quote } from '../request/input.ts'
import type { Article } from '../request/models.ts'
import { readBack } from '../request/read-back.ts'
import type { CreateArticleInput, MutationResolvers, UpdateArticleInput } from '../request/resolvers.generated.ts'
import { requireSignedIn, type Viewer } from '../request/viewer.ts'
import { canSee, requireOwner } from './article-access.ts'
import type { ArticleEntries } from './article-entries.ts'
import { insertArticle, MAX_SLUG } from './insert-article.ts'

export function articleMutations(articles: ArticleEntries): MutationResolvers {
  /** Writes, then reads what was written the way everybody does. */
  const write = async (context: Context, work: (transaction: Transaction<Tables>) => Promise<number>) => {
    const id = await explainConstraints(constraintErrors, () => context.write(work))
    const article: Article | undefined = await readBack(() => articles(context).byId.load(id))
    if (!article || !canSee(context.viewer, article)) {
      throw new AskerError('NOT_FOUND', 'The change is made, but the article was deleted or hidden meanwhile.')
    }
    return { article }
  }

  /** Locks the article, checks that the viewer may change it, and changes it. */
  const change = (
    context: Context,
    [field, globalId]: readonly [field: string, globalId: string],
    work: (transaction: Transaction<Tables>, article: LockedArticle) => Promise<unknown>,
  ) => {
    const id = fromGlobalId('Article', globalId, field)
    return write(context, async (transaction) => {
      await work(transaction, await lockArticle(transaction, context.viewer, id, field))
      return id
    })
  }

  return {
    createArticle: (_parent, { input }, context) => {
      const authorId = authorOf(input, context.viewer)
      const columns = checkArticle(input)
      return write(context, async (transaction) => {
        const id = await insertArticle(transaction, {
          ...columns,
          title: input.title,
          body: input.body,
          author_id: authorId,
          ...(input.status === 'PUBLISHED'
            ? { status: 'PUBLISHED', published_at: sql<Date>`now()` }
            : { published_at: null }),
        })
        if (input.tags != null) await replaceTags(transaction, id, input.tags, 'input.tags')
        return id
      })
    },

    updateArticle: (_parent, { input }, context) => {
      const columns = checkArticle(input)
      return change(context, ['input.id', input.id], async (transaction, { id, version }) => {
        if (input.expectedVersion != null && input.expectedVersion !== version) {
          const message = `The article is at version ${version}, not ${input.expectedVersion}: read it again.`
          throw new AskerError('VERSION_CONFLICT', message, { field: 'input.expectedVersion' })
        }
        // With nothing but new tags it is still an update, and counted as one.
        await transaction
          .updateTable('articles')
          .set({ ...columns, id })
          .where('id', '=', id)
          .execute()
        if (input.tags != null) await replaceTags(transaction, id, input.tags, 'input.tags')
      })
    },

    publishArticle: (_parent, { id }, context) =>
      change(context, ['id', id], async (transaction, article) => {
        if (article.status === 'PUBLISHED') return
        const published = { status: 'PUBLISHED', published_at: sql<Date>`now()` } as const
        await transaction.updateTable('articles').set(published).where('id', '=', article.id).execute()
      }),

    unpublishArticle: (_parent, { id }, context) =>
      change(context, ['id', id], async (transaction, article) => {
        if (article.status === 'DRAFT') return
        await transaction
          .updateTable('articles')
          .set({ status: 'DRAFT', published_at: null })
          .where('id', '=', article.id)
          .execute()
      }),

    setArticleTags: (_parent, { id, tags }, context) =>
      change(context, ['id', id], async (transaction, article) => {
        await transaction.updateTable('articles').set({ id: article.id }).where('id', '=', article.id).execute()
        await replaceTags(transaction, article.id, tags, 'tags')
      }),

    deleteArticle: async (_parent, { id: globalId }, context) => {
      const id = fromGlobalId('Article', globalId)
      await context.write(async (transaction) => {
        await lockArticle(transaction, context.viewer, id, 'id')
        await transaction.deleteFrom('articles').where('id', '=', id).execute()
      })
      return { deletedId: globalId }
    },
  }
}

type LockedArticle = Pick<Article, 'id' | 'status' | 'author_id' | 'version'>

async function lockArticle(
  transaction: Transaction<Tables>,
  viewer: Viewer,
  id: number,
  field: string,
): Promise<LockedArticle> {
  requireSignedIn(viewer)
  const article = await transaction
    .selectFrom('articles')
    .select(['id', 'status', 'author_id', 'version'])
    .where('id', '=', id)
    .forUpdate()
    .executeTakeFirst()
  return requireOwner(viewer, article, field)
}

function authorOf({ authorId }: CreateArticleInput, viewer: Viewer): number {
  const { kind, userId } = requireSignedIn(viewer)
  if (authorId == null) {
    if (userId !== undefined) return userId
    throw new AskerError('BAD_USER_INPUT', 'Say whose article it is: this admin has no user.', {
      field: 'input.authorId',
    })
  }
  const id = fromGlobalId('User', authorId, 'input.authorId')
  if (kind === 'admin' || id === userId) return id
  throw new AskerError('FORBIDDEN', 'Only an admin may write in the name of others.', { field: 'input.authorId' })
}

/** The columns of an input that were given, checked. */
function checkArticle({ title, slug, summary, body }: CreateArticleInput | UpdateArticleInput) {
  if (title != null) checkLength('input.title', title, { min: 1, max: 300 })
  if (slug != null) checkSlug('input.slug', slug, MAX_SLUG)
  if (summary != null) checkLength('input.summary', summary, { max: 2000 })
  if (body != null) checkLength('input.body', body, { max: 500_000 })
  return given({ title, slug, summary, body })
}

const MAX_TAGS = 100

async function replaceTags(
  transaction: Transaction<Tables>,
  articleId: number,
  slugs: readonly string[],
  field: string,
): Promise<void> {
  const wanted = [...new Set(slugs)]
  if (wanted.length > MAX_TAGS) {
    const message = `An article has at most ${MAX_TAGS} tags, not ${wanted.length}.`
    throw new AskerError('BAD_USER_INPUT', message, { field })
  }
  for (const slug of wanted) checkName(field, slug)
  const found =
    wanted.length === 0
      ? []
      : await transaction
          .selectFrom('tags')
          .select(['id', 'slug'])
          .where('slug', 'in', wanted)
          // So that none of them is deleted before the article has it.
          .forKeyShare()
          .execute()
  const unknown = wanted.filter((slug) => !found.some((tag) => tag.slug === slug))
  if (unknown.length > 0) {
    const names = unknown.map(quote).join(', ')
    throw new AskerError('BAD_USER_INPUT', `There is no tag with the slug ${names}.`, { field })
  }
  const ids = found.map(({ id }) => id)
  const current = transaction.deleteFrom('article_tags').where('article_id', '=', articleId)
  await (ids.length > 0 ? current.where('tag_id', 'not in', ids) : current).execute()
  if (ids.length === 0) return
  await transaction
    .insertInto('article_tags')
    .values(ids.map((tag_id) => ({ article_id: articleId, tag_id })))
    .onConflict((conflict) => conflict.doNothing())
    .execute()
}

const constraintErrors: ConstraintErrors = {
  articles_slug_key: ['SLUG_TAKEN', 'Another article has this slug.', 'input.slug'],
  articles_author_id_fkey: ['BAD_USER_INPUT', 'There is no such user.', 'input.authorId'],
}
