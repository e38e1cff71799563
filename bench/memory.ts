import { setImmediate } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { parse } from 'graphql'
import { writeKept } from '../src/answers/written-answer.ts'
import type { Entry } from '../src/cache/entry.ts'
import { marksOf } from '../src/cache/ledger/tag-marks.ts'
import { MemoryTier } from '../src/cache/memory/memory-tier.ts'
import { decodeEntry, encodeEntry } from '../src/cache/remote/envelope.ts'
import { DocumentStore } from '../src/graphql/operation/document-store.ts'

/** Compares the memory tier's count of bytes to what its entries take in the heap, if they were loaded, and if they were decoded. */
export async function memory(): Promise<void> {
  console.log('\nmemory: counted bytes, as a share of the real heap of 8,000 entries')
  for (const [name, make] of Object.entries(samples)) {
    const [loaded, decoded] = [await countedShare(make, false), await countedShare(make, true)]
    console.log(`  ${name.padEnd(30)} loaded ${loaded.toFixed(2)}   decoded ${decoded.toFixed(2)}`)
  }
  console.log('\nmemory: the same of 2,000 parsed documents')
  for (const fields of [1, 5, 20, 100]) {
    console.log(`  ${`of ${fields} fields`.padEnd(30)} ${(await countedShareOfDocuments(fields)).toFixed(2)}`)
  }
}

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void

const samples: Readonly<Record<string, (id: number) => unknown>> = {
  'articles of 2 KB': (id) => ({
    id,
    title: text(id, 60),
    body: text(id, 1600),
    summary: text(id, 200),
    authorId: id % 100,
    publishedAt: new Date(id),
    createdAt: new Date(id),
  }),
  'tags of two fields': (id) => ({ id, name: text(id, 8) }),
  'lists of twenty ids': (id) => ({ ids: Array.from({ length: 20 }, (_, index) => 20 * id + index), more: true }),
  'twenty small rows': (id) => Array.from({ length: 20 }, (_, index) => ({ id: index, name: text(id + index, 20) })),
  'text beyond Latin-1': (id) => ({ id, body: text(id, 1000, 'ж') }),
  'answers of 2.5 KB': (id) => writeKept(text(id, 2500), [`samples:${id}`, 'samples']),
  'nothing (negative entries)': () => undefined,
}

async function countedShare(make: (id: number) => unknown, decoded: boolean): Promise<number> {
  const fill = (count: number) => {
    const tier = new MemoryTier({ maxBytes: 1e9 })
    for (let id = 0; id < count; id++) {
      const key = flat(`stet:sample.1:${id}`)
      const times = { storedAtMs: 1_800_000_000_000, staleAtMs: 1_800_000_000_000.5, loadMs: 1.5 }
      const entry = {
        key,
        epoch: 'a',
        asOf: id,
        tags: [flat(`samples:${id}`), 'samples'],
        value: make(id),
        ...times,
        marks: undefined,
      }
      const held: Entry = decoded ? (decodeEntry(key, encodeEntry(entry)) ?? entry) : entry
      // As after the first write: see `Ledger.stands`.
      held.marks = marksOf(key, held.tags)
      tier.set(held)
    }
    return tier
  }
  fill(100)
  const before = await heapUsed()
  const tier = fill(8000)
  const real = (await heapUsed()) - before
  return tier.bytes / real
}

async function countedShareOfDocuments(fields: number): Promise<number> {
  const fill = async (count: number) => {
    const documents = new DocumentStore({ maxBytes: 1e9 })
    for (let id = 0; id < count; id++) {
      const names = Array.from({ length: fields }, (_, index) => `field${index}: name${id}`)
      const query = flat(`query Q($id: ID!) { article(id: $id) { ${names.join(' ')} } }`)
      documents.keep(query, parse(query))
    }
    return documents
  }
  await fill(100)
  const before = await heapUsed()
  const documents = await fill(2000)
  const real = (await heapUsed()) - before
  return documents.bytes / real
}

async function heapUsed(): Promise<number> {
  // Twice: a buffer is freed after the collection that finds it unused.
  for (let round = 0; round < 2; round++) {
    collectGarbage()
    await setImmediate()
  }
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}

function text(seed: number, length: number, letter = ''): string {
  let words = letter
  for (let word = seed; words.length < length; word++) words += `${(word * 2654435761) >>> 0} `
  return flat(words.slice(0, length))
}

/** The same text in one piece: a string that was put together keeps its parts. */
function flat(text: string): string {
  return Buffer.from(text).toString()
}
