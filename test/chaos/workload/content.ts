import { toGlobalId } from '../../../src/identity/global-id.ts'
import type { Dice } from '../../integration/oracle/dice.ts'
import type { Observation, Table } from '../history/history.ts'

/** What exists as far as answers told: what requests can be about. */
export class Content {
  readonly articles = new Map<number, { readonly authorId: number; readonly slug: string }>()
  readonly tags = new Map<number, { readonly slug: string }>()
  readonly users = new Map<number, { readonly username: string }>()
  /** What was deleted lately, or may be hidden. */
  readonly #gone: Record<Table, number[]> = { articles: [999_999], tags: [999_999], users: [999_999] }
  #marks = 0

  /** A text that no other write has. */
  nextMark(): string {
    return `w${++this.#marks}`
  }

  /** @param seesAll whoever was answered would be shown it if it were there */
  learn(observed: readonly Observation[], seesAll: boolean): void {
    for (const observation of observed) {
      if (observation.of !== 'row') continue
      const [table, digits] = observation.row.split(':')
      const id = Number(digits)
      const { state } = observation
      if (state === null) {
        if (seesAll && isTable(table)) this.#forget(table, id)
      } else if (table === 'articles' && state.author_id !== undefined) {
        this.articles.set(id, { authorId: Number(state.author_id), slug: String(state.slug) })
      } else if (table === 'tags' && state.slug !== undefined) {
        this.tags.set(id, { slug: String(state.slug) })
      } else if (table === 'users' && state.username !== undefined) {
        this.users.set(id, { username: String(state.username) })
      }
    }
  }

  #forget(table: Table, id: number): void {
    if (!this[table].delete(id)) return
    this.#gone[table].unshift(id)
    this.#gone[table].splice(10)
  }

  /** The row id of something, now and then of what is gone. */
  pick(table: Table, dice: Dice): number {
    const ids = [...this[table].keys()]
    return dice.chance(95) && ids.length > 0 ? dice.pick(ids) : dice.pick(this.#gone[table])
  }

  /** Of an article, one of this author where there is one. */
  pickOwn(authorId: number, dice: Dice): number {
    const own = [...this.articles].flatMap(([id, article]) => (article.authorId === authorId ? id : []))
    return dice.chance(90) ? (dice.pickAny(own) ?? this.pick('articles', dice)) : this.pick('articles', dice)
  }
}

const isTable = (text: string | undefined): text is Table => text === 'articles' || text === 'tags' || text === 'users'

export const articleId = (id: number): string => toGlobalId('Article', id)
export const userId = (id: number): string => toGlobalId('User', id)
export const tagId = (id: number): string => toGlobalId('Tag', id)
