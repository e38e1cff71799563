import { differsFrom } from '../../database/index.ts'
import { type ConstraintErrors, makeConnection, readWritten } from '../../graphql/resolving/index.ts'
import type { CreateTagInput, MutationResolvers, Resolvers, UpdateTagInput } from '../../graphql/schema/index.ts'
import { fromGlobalId, requireAdmin, toGlobalId } from '../../identity/index.ts'
import { ClientError } from '../../kernel/errors.ts'
import { checkLength, checkSlug, exactlyOne, given, quote } from '../../kernel/input.ts'
import { nowOrLater } from '../../kernel/promise-or-value.ts'
import { slugify } from '../slugify.ts'
import { type TagEntries, tagOrder } from './tag-entries.ts'

export function tagResolvers(entries: TagEntries): Resolvers {
  return {
    Query: {
      tag: (_parent, { id, slug }, context) => {
        const [by, value] = exactlyOne({ id, slug })
        const { byId, idBySlug } = entries(context)
        const tagId = by === 'id' ? fromGlobalId('Tag', value) : idBySlug.load(value)
        return nowOrLater(tagId, (id) => (id === undefined ? null : byId.load(id)))
      },
      tags: (_parent, args, context) => {
        const { byId, pages, count } = entries(context)
        return makeConnection(args, {
          order: tagOrder,
          places: (page) => pages.load(page),
          node: (id) => byId.load(id),
          totalCount: () => count.load('all'),
        })
      },
    },
    Mutation: tagMutations(entries),
    TagPayload: {
      tag: ({ id }, _args, context) => readWritten(() => entries(context).byId.load(id), 'the tag was deleted'),
    },
    Tag: { id: ({ id }) => toGlobalId('Tag', id) },
  }
}

function tagMutations(entries: TagEntries): MutationResolvers {
  return {
    createTag: async (_parent, { input }, context) => {
      requireAdmin(context.viewer)
      const slug = input.slug ?? slugify(input.name, MAX_SLUG)
      const values = { ...checkTag({ ...input, slug }), name: input.name, slug }
      const tag = await context.writeAtOnce(
        (primary) => primary.insertInto('tags').values(values).returningAll().executeTakeFirstOrThrow(),
        constraintErrors(values, input.slug == null ? 'input.name' : 'input.slug'),
      )
      entries(context).keep(tag.id, tag)
      return { id: tag.id }
    },

    updateTag: async (_parent, { input }, context) => {
      requireAdmin(context.viewer)
      const id = fromGlobalId('Tag', input.id, 'input.id')
      const changes = checkTag(input)
      const tag = await context.writeAtOnce(async (primary) => {
        const query = primary
          .updateTable('tags')
          .set({ ...changes, id })
          .where('id', '=', id)
        const changed = await query.where(differsFrom(changes)).returningAll().executeTakeFirst()
        if (changed) return changed
        const present = primary.selectFrom('tags').select('id').where('id', '=', id)
        await present.executeTakeFirstOrThrow(() => noSuchTag('input.id'))
        return undefined
      }, constraintErrors(changes))
      if (tag) entries(context).keep(id, tag)
      return { id }
    },

    deleteTag: async (_parent, { id: globalId }, context) => {
      requireAdmin(context.viewer)
      const id = fromGlobalId('Tag', globalId)
      await context.writeAtOnce((primary) => {
        const query = primary.deleteFrom('tags').where('id', '=', id).returning('id')
        return query.executeTakeFirstOrThrow(() => noSuchTag('id'))
      })
      entries(context).keep(id, undefined)
      return { deletedId: globalId }
    },
  }
}

const MAX_SLUG = 100

const noSuchTag = (field: string) => new ClientError('NOT_FOUND', 'There is no such tag.', { field })

/** @param field what the slug was given by */
const constraintErrors = ({ slug = '' }: { readonly slug?: string }, field = 'input.slug'): ConstraintErrors => ({
  tags_slug_key: ['SLUG_TAKEN', `Another tag has the slug ${quote(slug)}.`, field],
})

/** Checks the fields of an input, and returns the columns of those that are given. */
function checkTag({ name, slug, description }: CreateTagInput | UpdateTagInput) {
  if (name != null) checkLength('input.name', name, { min: 1, max: 100 })
  if (slug != null) checkSlug('input.slug', slug, MAX_SLUG)
  if (description != null) checkLength('input.description', description, { max: 2000 })
  return given({ name, slug, description })
}
