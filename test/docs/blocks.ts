import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** A fenced block of a document. */
export interface Block {
  readonly file: string
  /** Of its first line of code. */
  readonly line: number
  /** As it stands behind the fence. Empty: a drawing, or what a program printed. */
  readonly language: string
  /** The file that it is taken from, or that it would be, if the fence names one. */
  readonly path: string | undefined
  readonly code: string
}

/** All that is written for people, but for the sample content. */
export const DOCUMENTS: readonly string[] = ['.', 'docs', 'docs/decisions', '.github']
  .flatMap((folder) => readdirSync(folder).map((name) => join(folder, name)))
  .filter((name) => name.endsWith('.md'))

export const blocks: readonly Block[] = DOCUMENTS.flatMap((file) => {
  const text = readFileSync(file, 'utf8')
  return [...text.matchAll(/^```(\w*) ?(\S+)?\n(.*?)^```$/gms)].map(
    ({ index, 1: language = '', 2: path, 3: code = '' }) => ({
      file,
      line: text.slice(0, index).split('\n').length + 1,
      language,
      path,
      code,
    }),
  )
})
