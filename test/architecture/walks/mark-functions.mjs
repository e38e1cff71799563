// `node --import ./scripts/run-typescript.mjs --import ./test/architecture/walks/mark-functions.mjs file.ts`: each function of
// `src` that is entered calls `globalThis.onEntered` with the file that it stands in, from the top of the project.

import { register } from 'node:module'
import { relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { isMainThread } from 'node:worker_threads'
import { parseSync } from 'rolldown/utils'

if (isMainThread) register(import.meta.url)

export async function load(url, context, nextLoad) {
  const loaded = await nextLoad(url, context)
  if (!url.endsWith('.ts')) return loaded
  const file = relative('.', fileURLToPath(url))
  return file.startsWith('src/') ? { ...loaded, source: markFunctions(String(loaded.source), file) } : loaded
}

function markFunctions(code, file) {
  const call = `globalThis.onEntered?.(${JSON.stringify(file)})`
  const marks = []
  for (const { body } of functionsIn(parseSync(`${file}.js`, code).program)) {
    if (body.type === 'BlockStatement') marks.push([body.start + 1, `${call};`])
    else marks.push([body.start, `(${call}, (`], [body.end, '))'])
  }
  // From the end, so that what stands before keeps its place.
  marks.sort(([a], [b]) => b - a)
  return marks.reduce((text, [at, mark]) => text.slice(0, at) + mark + text.slice(at), code)
}

function* functionsIn(node) {
  if (typeof node !== 'object' || node === null) return
  if (/Function/.test(node.type ?? '') && node.body) yield node
  for (const part of Object.values(node)) yield* functionsIn(part)
}
