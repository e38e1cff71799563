import { readdirSync, readFileSync } from 'node:fs'

/** The text of `schema/*.graphql`, in the order of the files' names. */
export function readSchema(): string {
  const folder = new URL('../../schema/', import.meta.url)
  const files = readdirSync(folder).filter((name) => name.endsWith('.graphql'))
  return files
    .sort()
    .map((name) => readFileSync(new URL(name, folder), 'utf8'))
    .join('\n')
}
