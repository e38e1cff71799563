import type pg from 'pg'
import { toGlobalId } from '../../../src/identity/global-id.ts'
import type { Dice } from './dice.ts'

/** What steps can be about: what is in the database by now, what is not any longer, and cursors that answers gave. */
export class KnownContent {
  articles: readonly { readonly id: number; readonly slug: string; readonly author_id: number }[] = []
  users: readonly { readonly id: number; readonly username: string }[] = []
  tags: readonly { readonly id: number; readonly slug: string }[] = []
  readonly cursors: string[] = []
  readonly #client: pg.Client
  readonly #dice: Dice

  constructor(client: pg.Client, dice: Dice) {
    this.#client = client
    this.#dice = dice
  }

  async refresh(): Promise<void> {
    const { rows } = await this.#client.query(`
      select (select json_agg(a) from (select id, slug, author_id from articles order by id limit 150) a) as articles,
             (select json_agg(u) from (select id, username from users order by id) u) as users,
             (select json_agg(t) from (select id, slug from tags order by id) t) as tags`)
    const [{ articles, users, tags }] = rows
    this.articles = articles ?? []
    this.users = users ?? []
    this.tags = tags ?? []
  }

  /** Those that anybody may write: a transaction that is held open has locked the others. */
  get freeArticles() {
    return this.articles.filter(({ author_id }) => author_id !== HELD_ID)
  }

  get freeUsers() {
    return this.users.filter(({ id }) => id !== HELD_ID)
  }

  get freeTags() {
    return this.tags.filter(({ id }) => id !== HELD_ID)
  }

  /** A global id: mostly of something that exists. */
  articleId = (): string => this.#id('Article', this.articles)
  userId = (): string => this.#id('User', this.users)
  tagId = (): string => this.#id('Tag', this.tags)
  freeArticleId = (): string => this.#id('Article', this.freeArticles)
  freeUserId = (): string => this.#id('User', this.freeUsers)
  freeTagId = (): string => this.#id('Tag', this.freeTags)

  slug = (): string => this.#dice.pickAny(this.articles)?.slug ?? 'nothing'
  username = (): string => (this.#dice.chance(90) ? (this.#dice.pickAny(this.users)?.username ?? 'nobody') : 'nobody')
  tagSlug = (): string => (this.#dice.chance(90) ? (this.#dice.pickAny(this.tags)?.slug ?? 'none') : 'none')
  freeTagSlugs = (): string[] =>
    this.#dice.some(
      this.freeTags.map(({ slug }) => slug),
      30,
    )

  /** Remembers the cursors that are somewhere in an answer. */
  learnCursors(data: unknown): void {
    for (const [, cursor] of JSON.stringify(data ?? null).matchAll(/"cursor":"([^"]+)"/g)) {
      if (cursor !== undefined && this.#dice.chance(20)) this.cursors[this.#dice.below(60)] = cursor
    }
  }

  #id(type: 'Article' | 'User' | 'Tag', rows: readonly { readonly id: number }[]): string {
    if (this.#dice.chance(3)) return 'not an id'
    const row = this.#dice.chance(95) ? this.#dice.pickAny(rows) : undefined
    const itsType = this.#dice.chance(97) ? type : this.#dice.pick(['Article', 'User', 'Tag'])
    return toGlobalId(itsType, row?.id ?? 100_000 + this.#dice.below(50))
  }
}

/** Id of the one user, and of the one tag, that only the held transaction writes. */
export const HELD_ID = 1
