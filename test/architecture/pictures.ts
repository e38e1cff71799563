import { drawHouse, type Import, roomOf } from './rooms.ts'

const BEGIN = '<!-- Drawn from the imports by `npm run generate`. -->'
const END = '<!-- End of what is drawn. -->'

/** A document, with the pictures between its two marks drawn anew: the rooms as a graph, and as text. Throws if it lacks the marks. */
export function withPictures(document: string, imports: readonly Import[]): string {
  const [begin, end] = [document.indexOf(BEGIN), document.indexOf(END)]
  if (begin < 0 || end < begin) throw new Error(`The document lacks ${BEGIN} before ${END}`)
  const graph = `\`\`\`mermaid\n${drawGraph(imports)}\n\`\`\``
  const text = `\`\`\`text\n${drawHouse(imports)}\n\`\`\``
  return `${document.slice(0, begin + BEGIN.length)}\n\n${graph}\n\n${text}\n\n${document.slice(end)}`
}

/** Rooms and what they import, but for what an arrow's end imports itself, or leads to: so the arrows can be followed by eye. */
function drawGraph(imports: readonly Import[]): string {
  const known = new Map<string, Set<string>>()
  for (const { from, to } of imports) {
    if (!to.startsWith('src/') || roomOf(to) === roomOf(from) || roomOf(to) === 'kernel') continue
    known.set(roomOf(from), (known.get(roomOf(from)) ?? new Set()).add(roomOf(to)))
  }
  const reach = (room: string): ReadonlySet<string> =>
    new Set([...(known.get(room) ?? [])].flatMap((next) => [next, ...reach(next)]))
  const arrows = [...known].flatMap(([room, all]) =>
    [...all]
      .filter((it) => ![...all].some((other) => reach(other).has(it)))
      .map((it) => `  ${nameOf(room)} --> ${nameOf(it)}`),
  )
  return ['flowchart TD', ...arrows.sort()].join('\n')
}

/** Mermaid's own: a name without a slash, and what is shown. */
const nameOf = (room: string): string => (room.includes('/') ? `${room.replace('/', '_')}["${room}"]` : room)
