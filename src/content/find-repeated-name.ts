/**
 * Finds a name that an object of a JSON text has twice: `JSON.parse` takes the last one, so that a `"draft": true` before it would be lost.
 *
 * @param json a text that `JSON.parse` takes
 * @example findRepeatedName('{ "a": 1, "b": { "a": 2 }, "a": 3 }') // 'a'
 */
export function findRepeatedName(json: string): string | undefined {
  const open: Set<string>[] = []
  for (const { 0: token, 1: text } of json.matchAll(TOKENS)) {
    if (token === '{') open.push(new Set())
    else if (token === '}') open.pop()
    else if (text !== undefined) {
      const name: unknown = JSON.parse(text)
      const names = open.at(-1)
      if (typeof name !== 'string' || !names) continue
      if (names.has(name)) return name
      names.add(name)
    }
  }
  return undefined
}

/** Braces, and texts: those that a colon follows are names, and are captured. */
const TOKENS = /[{}]|("[^"\\]*(?:\\.[^"\\]*)*")\s*:|"[^"\\]*(?:\\.[^"\\]*)*"/g
