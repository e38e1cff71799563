import { slugify } from '../domain/slugify.ts'
import { Random, Zipf } from '../kernel/random.ts'
import { proseFrom } from './seed-prose.ts'

/** An article depends on its number alone (and on how many users and tags there are), not on those made before it. */
export function articleMaker(users: number, tags: number): (number: number) => SeedArticle {
  const byPopularity = new Zipf(tags)
  return (number) => {
    const random = new Random(Math.imul(number + 1, 0x9e3779b1))
    const prose = proseFrom(random)
    const title = prose.title()
    const createdAt = new Date(FIRST_DAY + Math.floor(random.next() * (LAST_DAY - FIRST_DAY))).toISOString()
    const isDraft = random.below(20) === 0
    const chosen = new Set<number>()
    for (let wanted = 1 + random.below(5); chosen.size < Math.min(wanted, tags); ) chosen.add(byPopularity.pick(random))
    return {
      slug: `${slugify(title, 180)}-${number + 1}`,
      title,
      summary: prose.summary(),
      body: prose.body(),
      author: authorNameOf(random.below(users)),
      tags: [...chosen].map(tagSlugOf),
      publishedAt: isDraft ? null : createdAt,
      createdAt,
      views: isDraft ? 0 : Math.min(5_000_000, Math.floor(20 / (1 - random.next()) ** 0.9) - 20),
    }
  }
}

export interface SeedArticle {
  readonly slug: string
  readonly title: string
  readonly summary: string
  readonly body: string
  readonly author: string
  readonly tags: readonly string[]
  readonly publishedAt: string | null
  readonly createdAt: string
  readonly views: number
}

export const FIRST_DAY = Date.UTC(2019, 0, 1)
const LAST_DAY = Date.UTC(2026, 9, 31)

export function authorNameOf(index: number): string {
  return `seed-author-${index + 1}`
}

export function tagSlugOf(index: number): string {
  return `seed-tag-${index + 1}`
}
