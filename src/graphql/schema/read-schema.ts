import { readdirSync, readFileSync } from 'node:fs'
import { PROJECT } from '../../kernel/project.ts'

/** The text of all `schema/*.graphql` files, in the order of their names. */
export function readSchema(): string {
  const folder = new URL('schema/', PROJECT)
  const files = readdirSync(folder).filter((name) => name.endsWith('.graphql'))
  return files
    .sort()
    .map((name) => readFileSync(new URL(name, folder), 'utf8'))
    .join('\n')
}
