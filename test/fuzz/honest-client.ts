import { toGlobalId } from '../../src/identity/global-id.ts'
import { GraphQLClient, testToken } from '../harness/index.ts'
import type { FuzzNode } from './fuzz-node.ts'

/** Ids that nothing random comes across. */
const USER = 700_000_001
const ARTICLE = 700_000_002

/** Writes and reads its own article while the fuzzer is at work, and says what it is told wrong. */
export class HonestClient {
  readonly #author: GraphQLClient
  readonly #visitor: GraphQLClient
  #writes = 0

  static async join(node: FuzzNode): Promise<HonestClient> {
    await node.sql(`
      insert into users (id, username, display_name, email) overriding system value
        values (${USER}, 'honest', 'Honest', 'honest@example.com');
      insert into articles (id, slug, title, body, author_id, status, published_at) overriding system value
        values (${ARTICLE}, 'honest-article', 'Write 0', 'Text', ${USER}, 'PUBLISHED', '2020-01-01')`)
    return new HonestClient(new GraphQLClient(node.url, await testToken('author', USER)), new GraphQLClient(node.url))
  }

  private constructor(author: GraphQLClient, visitor: GraphQLClient) {
    this.#author = author
    this.#visitor = visitor
  }

  /** Undefined if all is well. */
  async findsWrong(): Promise<string | undefined> {
    try {
      const title = `Write ${++this.#writes}`
      const update =
        'mutation ($id: ID!, $title: String!) { updateArticle(input: { id: $id, title: $title }) { article { title } } }'
      const id = toGlobalId('Article', ARTICLE)
      const { token } = await this.#author.send(update, { id, title })
      const read = `query ($id: ID!) { article(id: $id) { title author { email } }
        articles(filter: { author: "honest" }) { totalCount nodes { title } } viewer { username } }`
      const expected = (isAuthor: boolean) => ({
        article: { title, author: { email: isAuthor ? 'honest@example.com' : null } },
        articles: { totalCount: 1, nodes: [{ title }] },
        viewer: isAuthor ? { username: 'honest' } : null,
      })
      const asOf: Record<string, string> = token === null ? {} : { 'stet-as-of': token }
      for (const client of [this.#author, this.#visitor, this.#visitor]) {
        const wanted = JSON.stringify(expected(client === this.#author))
        const { data, errors } = await client.send(read, { id }, asOf, this.#writes % 2 === 0 ? 'GET' : 'POST')
        const told = JSON.stringify(errors.length > 0 ? errors : data)
        if (told !== wanted) return `The honest client was told ${told}, not ${wanted}`
      }
      return undefined
    } catch (error) {
      return `The honest client was not answered: ${error}, ${(error as Error).cause}`
    }
  }
}
