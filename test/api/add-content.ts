import { toGlobalId } from '../../src/identity/global-id.ts'
import { queryOnce } from '../harness/index.ts'

/** Row ids of the two users that `addContent` adds. */
export const ANN = 1
export const BOB = 2

/** Global ids of what `addContent` adds. */
export const ids = {
  ann: toGlobalId('User', ANN),
  bob: toGlobalId('User', BOB),
  cats: toGlobalId('Tag', 1),
  dogs: toGlobalId('Tag', 2),
  published: toGlobalId('Article', 1),
  annsDraft: toGlobalId('Article', 2),
  bobsDraft: toGlobalId('Article', 3),
  bobsPublished: toGlobalId('Article', 4),
}

/** Two authors with a draft and a published article each, all of them about cats. */
export const addContent = (databaseUrl: string) =>
  queryOnce(
    databaseUrl,
    `insert into users (username, display_name, email)
       values ('ann', 'Ann', 'ann@example.com'), ('bob', 'Bob', 'bob@example.com');
     insert into tags (slug, name) values ('cats', 'Cats'), ('dogs', 'Dogs');
     insert into articles (slug, title, body, author_id, status, published_at)
       values ('published', 'Published', 'A secretive fox.', 1, 'PUBLISHED', '2026-01-01'),
              ('anns-draft', 'Draft of Ann', 'A secretive fox.', 1, 'DRAFT', null),
              ('bobs-draft', 'Draft of Bob', 'A secretive fox.', 2, 'DRAFT', null),
              ('bobs-published', 'Published by Bob', 'A secretive fox.', 2, 'PUBLISHED', '2026-01-02');
     insert into article_tags select id, 1 from articles`,
  )
