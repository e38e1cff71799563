import { promisify } from 'node:util'
import { brotliCompress, constants, gzip } from 'node:zlib'
import type { Cache, CachedKind } from '../cache/index.ts'
import { bodyOf, type KeptAnswer } from './kept-answers.ts'

/** How a body is compressed, as `Content-Encoding` has it. */
export type Encoding = 'br' | 'gzip' | 'identity'

/** What a client takes best. */
export interface EncodingChoice {
  readonly long: Encoding
  /** Of what is too short to gain by it: as it is, unless the client refuses that. */
  readonly short: Encoding
}

interface Wanted {
  readonly answer: KeptAnswer
  readonly encoding: Exclude<Encoding, 'identity'>
}

/** Answers, compressed: each once, and only when somebody asks for it. Named by their content, so they depend on nothing. */
export class EncodedAnswers {
  readonly #bodies: CachedKind<Wanted, Buffer>

  constructor(cache: Cache) {
    this.#bodies = cache.kind<Wanted, Buffer>({
      name: 'response-encoded',
      ttlMs: 60 * 60 * 1000,
      tiers: 'memory',
      // Nobody reads it so often that doing it early would help.
      earlyRefresh: 0,
      madeOf: [COMPRESS],
      key: ({ answer, encoding }) => `${answer.etag}.${encoding}`,
      tags: () => [],
      load: async (all) => ({
        asOf: cache.position,
        unsettled: false,
        values: await Promise.all(all.map(({ answer, encoding }) => COMPRESS[encoding](bodyOf(answer)))),
      }),
    })
  }

  /** The body to send: at once where that is at hand. Undefined: that of the answer, as it is. */
  body(
    answer: KeptAnswer,
    { long, short }: EncodingChoice,
  ): EncodedBody | undefined | Promise<EncodedBody | undefined> {
    const encoding = answer.bytes.length - answer.bodyStart < MIN_BYTES ? short : long
    if (encoding === 'identity') return undefined
    const wanted = { answer, encoding }
    const value = this.#bodies.getIfPresent(wanted)?.value
    if (value) return { bytes: value, encoding }
    return this.#bodies.get(wanted).then(
      (bytes) => bytes && { bytes, encoding },
      // It took too long, say.
      () => undefined,
    )
  }
}

export interface EncodedBody {
  readonly bytes: Buffer
  readonly encoding: Exclude<Encoding, 'identity'>
}

/** For bytes that are sent many times, and made while somebody waits. */
const COMPRESS = {
  br: (body: Buffer) => promisify(brotliCompress)(body, { params: { [constants.BROTLI_PARAM_QUALITY]: 5 } }),
  gzip: (body: Buffer) => promisify(gzip)(body, { level: 6 }),
}

const MIN_BYTES = 1024
