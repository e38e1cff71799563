import type { Random } from '../kernel/random.ts'

/** Returns functions that make up text which looks like English at a glance. A `body` is about 2 KB of Markdown. */
export function proseFrom(random: Random) {
  const pick = (words: readonly string[]) => words[random.below(words.length)] ?? ''
  const thing = () => `${pick(ADJECTIVES)} ${pick(NOUNS)}`
  const clause = () => `the ${thing()} ${pick(VERBS)} ${pick(DETERMINERS)} ${pick(NOUNS)}`
  const sentence = () => {
    const words = random.below(3) === 0 ? `${pick(OPENERS)}, ${clause()}` : clause()
    const tail = random.below(2) === 0 ? ` ${pick(TAILS)}` : ''
    return `${capitalised(words)}${random.below(4) === 0 ? `, and ${clause()}` : ''}${tail}.`
  }
  const paragraph = (sentences: number) => Array.from({ length: sentences }, sentence).join(' ')
  const title = () => {
    const shapes = [
      () => `The ${thing()}`,
      () => `${pick(GERUNDS)} the ${thing()}`,
      () => `What the ${pick(NOUNS)} ${pick(VERBS)}`,
      () => `Notes on ${pick(DETERMINERS)} ${thing()}`,
      () => `The ${pick(NOUNS)} and the ${pick(NOUNS)}`,
    ]
    return capitalised(shapes[random.below(shapes.length)]?.() ?? '')
  }
  const block = () => {
    const blocks = [
      () => Array.from({ length: 4 }, () => `- ${capitalised(thing())}: ${clause()}`).join('\n'),
      () => `> ${sentence()}`,
      () => `\`\`\`js\nconst ${pick(NOUNS)} = measure('${pick(NOUNS)}', ${random.below(100)})\n\`\`\``,
      () => `| ${pick(NOUNS)} | ${pick(NOUNS)} |\n| --- | --- |\n| ${thing()} | ${random.below(500)} |`,
      () => `See [the ${thing()}](https://example.com/${pick(NOUNS)}) for more.`,
    ]
    return blocks[random.below(blocks.length)]?.() ?? ''
  }
  return {
    title,
    summary: () => paragraph(2),
    body: () => {
      const section = () => [`## ${title()}`, paragraph(3 + random.below(3)), block(), paragraph(2)].join('\n\n')
      return [paragraph(4), section(), section(), section(), paragraph(2)].join('\n\n')
    },
  }
}

function capitalised(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1)
}

const ADJECTIVES =
  'quiet amber borrowed careful narrow patient weathered crooked early folded hidden honest late lopsided measured mended northern old open ordinary painted pale portable printed restless second shallow silver slow small stubborn sunlit tidal unfinished upright warm winter wooden'.split(
    ' ',
  )
const NOUNS =
  'almanac archive bakery balcony barometer bell bicycle bookshop bridge canal catalogue chart cistern clock compass courtyard dictionary engine ferry gallery garden glacier granary harbour herbarium instrument island kettle kiln ladder lantern ledger letter library lighthouse loom map market meadow mill notebook observatory orchard organ pencil piano press quarry radio railway river rooftop shoreline signal staircase stove street telescope theatre tower tram valley village violin voyage weather window workshop'.split(
    ' ',
  )
const VERBS =
  'answers carries collects conceals describes follows forgets gathers guides inherits interrupts keeps leaves measures mends outlasts overlooks precedes promises recalls repeats resembles rewards shapes shelters survives teaches translates unsettles'.split(
    ' ',
  )
const GERUNDS =
  'Building|Drawing|Finding|Keeping|Listening for|Mapping|Mending|Painting|Reading|Remembering|Restoring'.split('|')
const DETERMINERS = ['the', 'a', 'every', 'one', 'another', 'its']
const OPENERS =
  'In the end|By most accounts|After the thaw|For a while|On closer reading|Every autumn|Before the railway came|As a rule|To the surprise of nobody|Against advice'.split(
    '|',
  )
const TAILS =
  'in plain sight|for the second time|without much ceremony|before breakfast|as the records show|at half the cost|by candlelight|on the coldest day of the year|for those who ask|until the paint dries'.split(
    '|',
  )
