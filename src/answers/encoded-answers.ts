import { promisify } from 'node:util'
import { brotliCompress, constants, gzip } from 'node:zlib'
import type { Cache, CachedKind } from '../cache/index.ts'
import {
  type ByteString,
  bodyOf,
  type EncodedBody,
  type Encoding,
  etagOf,
  type WrittenAnswer,
} from './written-answer.ts'

/** What a client takes best. */
export interface EncodingChoice {
  readonly long: Encoding
  /** For a body too short to gain by compression: `identity`, unless the client refuses that. */
  readonly short: Encoding
}

interface EncodedKey {
  readonly answer: WrittenAnswer
  readonly encoding: Exclude<Encoding, 'identity'>
}

/** The bodies of answers, compressed when a client first asks for that, and kept under a hash of their content: they depend on nothing. */
export class EncodedAnswers {
  readonly #bodies: CachedKind<EncodedKey, ByteString>

  constructor(cache: Cache) {
    this.#bodies = cache.kind<EncodedKey, ByteString>({
      name: 'response-encoded',
      ttlMs: 60 * 60 * 1000,
      tiers: 'memory',
      // No body is read so often that compressing it early would help.
      earlyRefresh: 0,
      key: ({ answer, encoding }) => `${etagOf(answer)}.${encoding}`,
      tags: () => [],
      load: async (all) => ({
        asOf: cache.position,
        unsettled: false,
        values: await Promise.all(all.map(({ answer, encoding }) => compress(bodyOf(answer), encoding))),
      }),
    })
  }

  /** The body to send, at once if memory holds it. Undefined: the answer's own body, as it is. */
  body(
    answer: WrittenAnswer,
    { long, short }: EncodingChoice,
  ): EncodedBody | undefined | Promise<EncodedBody | undefined> {
    const encoding = answer.bytes.length - answer.bodyStart < MIN_BYTES ? short : long
    if (encoding === 'identity') return undefined
    const key = { answer, encoding }
    const isKept = etagOf(answer) !== ''
    const present = isKept ? this.#bodies.getIfPresent(key)?.value : undefined
    if (present) return { bytes: present, encoding }
    const compressing = isKept ? this.#bodies.get(key) : compress(bodyOf(answer), encoding)
    return compressing.then(
      (bytes) => (bytes === undefined ? undefined : { bytes, encoding }),
      // It took too long, for example.
      () => undefined,
    )
  }
}

const compress = async (body: ByteString, encoding: EncodedKey['encoding']): Promise<ByteString> =>
  (await COMPRESS[encoding](Buffer.from(body, 'latin1'))).toString('latin1')

/** At levels for bytes that are sent many times, and compressed while a client waits. */
const COMPRESS = {
  br: (body: Buffer) => promisify(brotliCompress)(body, { params: { [constants.BROTLI_PARAM_QUALITY]: 5 } }),
  gzip: (body: Buffer) => promisify(gzip)(body, { level: 6 }),
}

const MIN_BYTES = 1024
