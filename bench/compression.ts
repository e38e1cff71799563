import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  brotliCompressSync,
  brotliDecompressSync,
  constants,
  deflateRawSync,
  gunzipSync,
  gzipSync,
  inflateRawSync,
} from 'node:zlib'
import { Random } from '../src/kernel/random.ts'
import { median } from './report.ts'

/** Compares ways to compress entries, on the sample's articles: the size that is left, and the time to compress and to inflate. */
export async function compression(): Promise<void> {
  const articles = sampleText()
  for (const length of [2_000, 20_000, 200_000]) {
    const bodies = Array.from({ length: 10 }, (_, index) => articles.subarray(index * 1_500).subarray(0, length))
    console.log(
      `\ncompression: bodies of ${length / 1000} KB of sample articles (what is left, µs to compress, µs to inflate)`,
    )
    for (const { name, left, compressUs, inflateUs } of compare(bodies)) {
      console.log(
        `  ${name.padEnd(14)} ${left.toFixed(3)} ${compressUs.toFixed(0).padStart(7)} ${inflateUs.toFixed(0).padStart(7)}`,
      )
    }
  }
}

const deflate = (level: number): Way => [(body) => deflateRawSync(body, { level }), (bytes) => inflateRawSync(bytes)]
const brotli = (quality: number): Way => [
  (body) =>
    brotliCompressSync(body, {
      params: { [constants.BROTLI_PARAM_QUALITY]: quality, [constants.BROTLI_PARAM_SIZE_HINT]: body.length },
    }),
  (bytes) => brotliDecompressSync(bytes),
]

type Way = readonly [compress: (body: Buffer) => Buffer, inflate: (bytes: Buffer) => Buffer]

const ways: Readonly<Record<string, Way>> = {
  'deflateRaw 1': deflate(1),
  'deflateRaw 3': deflate(3),
  'deflateRaw 6': deflate(6),
  'gzip 1': [(body) => gzipSync(body, { level: 1 }), (bytes) => gunzipSync(bytes)],
  'brotli 1': brotli(1),
  'brotli 2': brotli(2),
  'brotli 4': brotli(4),
}

/** The ways take turns, so that other work on the machine disturbs all of them. */
function compare(bodies: readonly Buffer[]) {
  const runs = Object.entries(ways).map(([name, [compress, inflate]]) => ({
    name,
    compress,
    inflate,
    compressed: bodies.map(compress),
    compressions: [] as number[],
    inflations: [] as number[],
  }))
  for (let round = 0; round < ROUNDS; round++) {
    for (const { compress, inflate, compressed, compressions, inflations } of runs) {
      compressions.push(timeUs(() => bodies.map(compress)) / bodies.length)
      inflations.push(timeUs(() => compressed.map(inflate)) / bodies.length)
    }
  }
  const size = (buffers: readonly Buffer[]) => buffers.reduce((sum, { length }) => sum + length, 0)
  return runs.map(({ name, compressed, compressions, inflations }) => ({
    name,
    left: size(compressed) / size(bodies),
    compressUs: median(compressions),
    inflateUs: median(inflations),
  }))
}

const ROUNDS = 20

function timeUs(work: () => unknown): number {
  const startedAt = performance.now()
  work()
  return (performance.now() - startedAt) * 1000
}

/** English prose, then its words twice in other orders: more than 200 KB in which no long stretch recurs. */
function sampleText(): Buffer {
  const directory = 'content/sample/articles'
  const files = readdirSync(directory, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.md'))
  const text = files.map((name) => readFileSync(join(directory, name), 'utf8')).join('\n')
  const random = new Random(1)
  const words = () => text.split(' ').map((word) => ({ word, place: random.next() }))
  const shuffled = () =>
    words()
      .sort((a, b) => a.place - b.place)
      .map(({ word }) => word)
      .join(' ')
  return Buffer.from([text, shuffled(), shuffled()].join(' '))
}
