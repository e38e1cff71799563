import type { TabsState } from '@graphiql/react'

/** An existing article, so that the queries in the starting tabs work unchanged. */
export interface Example {
  readonly id: string
  readonly slug: string
  readonly title: string
}

export type StartingTab = Pick<TabsState['tabs'][number], 'query'>

/** The tabs of a first visit. Later visits show the tabs that were open last. */
export function startingTabs({ id, slug, title }: Example): StartingTab[] {
  return [
    {
      query: `# Welcome to Stet. Run this twice:
# the line below the answer tells
# where it came from.
query Newest {
  articles(first: 5, filter: { status: PUBLISHED }) {
    totalCount
    nodes {
      id
      title
      publishedAt
      author {
        displayName
      }
      tags {
        name
      }
    }
  }
}
`,
    },
    {
      query: `query OneArticle {
  article(slug: ${JSON.stringify(slug)}) {
    id
    title
    summary
    body
    viewCount
    publishedAt
    version
    author {
      displayName
      bio
    }
    tags {
      slug
      name
    }
  }
}
`,
    },
    {
      query: `# Run this, then the other tabs again:
# they show the new title at once,
# whichever node answers them.
mutation Retitle {
  updateArticle(input: { id: ${JSON.stringify(id)}, title: ${JSON.stringify(`${title} (stet)`)} }) {
    article {
      id
      title
      version
    }
  }
}
`,
    },
  ]
}

const placeholder: Example = { id: '…', slug: '…', title: '…' }

/** The newest published article, or a placeholder if there is none or the API cannot be reached. */
export async function fetchExample(): Promise<Example> {
  try {
    const response = await fetch('/graphql', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ query: 'query Example { articles(first: 1) { nodes { id slug title } } }' }),
    })
    const answer: ExampleAnswer = await response.json()
    return answer.data?.articles?.nodes[0] ?? placeholder
  } catch {
    return placeholder
  }
}

interface ExampleAnswer {
  readonly data?: { readonly articles?: { readonly nodes: readonly Example[] } } | null
}
