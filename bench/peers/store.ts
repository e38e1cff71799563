import { readFileSync } from 'node:fs'

export interface Rows {
  readonly users: readonly User[]
  readonly tags: readonly Tag[]
  /** The newest first. */
  readonly articles: readonly Article[]
}

export interface User {
  readonly id: number
  readonly displayName: string
}

export interface Tag {
  readonly id: number
  readonly slug: string
  readonly name: string
}

export interface Article {
  /** For `Query.nodes`. */
  readonly __typename: 'Article'
  readonly id: number
  readonly slug: string
  readonly title: string
  readonly summary: string
  readonly body: string
  readonly authorId: number
  /** In the order of the tags' names. */
  readonly tagIds: readonly number[]
}

/** The rows in the memory of a peer's process, which needs no database. */
export class Store {
  readonly #articles: Map<number, Article>
  readonly #users: Map<number, User>
  readonly #tags: Map<number, Tag>
  readonly #newest: readonly number[]
  readonly #newestBy = new Map<number, number[]>()

  static read(file: string): Store {
    return new Store(JSON.parse(readFileSync(file, 'utf8')))
  }

  constructor({ users, tags, articles }: Rows) {
    this.#users = new Map(users.map((user) => [user.id, user]))
    this.#tags = new Map(tags.map((tag) => [tag.id, tag]))
    this.#articles = new Map(articles.map((article) => [article.id, article]))
    this.#newest = articles.map(({ id }) => id)
    for (const { id, authorId } of articles) {
      const theirs = this.#newestBy.get(authorId)
      if (theirs) theirs.push(id)
      else this.#newestBy.set(authorId, [id])
    }
  }

  article(id: number): Article | undefined {
    return this.#articles.get(id)
  }

  user(id: number): User | undefined {
    return this.#users.get(id)
  }

  tag(id: number): Tag | undefined {
    return this.#tags.get(id)
  }

  newest(first: number): (Article | undefined)[] {
    return this.#newest.slice(0, first).map((id) => this.#articles.get(id))
  }

  newestBy(authorId: number, first: number): (Article | undefined)[] {
    return (this.#newestBy.get(authorId) ?? []).slice(0, first).map((id) => this.#articles.get(id))
  }

  /** Makes another object, as a database would: a cache that holds the old one keeps the old title. */
  rename(id: number, title: string): Article | undefined {
    const article = this.#articles.get(id)
    if (!article) return undefined
    const renamed = { ...article, title }
    this.#articles.set(id, renamed)
    return renamed
  }

  titles(ids: readonly number[]): string[] {
    return ids.map((id) => this.#articles.get(id)?.title ?? '')
  }
}
