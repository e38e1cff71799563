import type { IncomingMessage, ServerResponse } from 'node:http'
import type { HTTPGraphQLRequest, HTTPGraphQLResponse } from '@apollo/server'
import { errorCodes, type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify'
import {
  answerHead,
  answerKey,
  chooseEncoding,
  chooseMediaType,
  type EncodedAnswers,
  type EncodedBody,
  type Explainer,
  entityTag,
  judge,
  type KeptAnswer,
  type Made,
  type MediaType,
  madeStatus,
  PRIVATE,
  type ResponseCache,
  represent,
  representUnchanged,
  sharedKey,
  type Wanted,
  whyNeverKept,
} from '../answers/index.ts'
import type { Ledger, Obtained, Reader } from '../cache/index.ts'
import type { Database } from '../database/index.ts'
import type { Api, Runnable } from '../graphql/index.ts'
import {
  type Documents,
  meaningOf,
  type Operation,
  type Operations,
  type Question,
  type Resolved,
  readQuestion,
  spellingOf,
  toApollo,
} from '../graphql/operation/index.ts'
import { cacheWord, RequestContext, toGraphQLError } from '../graphql/resolving/index.ts'
import type { Authenticator, Viewer } from '../identity/index.ts'
import { catchUp, type Follower, formatToken, positionAtHand } from '../invalidation/index.ts'
import { AskerError } from '../kernel/errors.ts'
import type { Answered } from '../metrics/index.ts'
import { bodyOf, readBody, textOf } from './read-body.ts'
import { asksForMore, isGraphQL, isHeld, isHost, isJson, requestIdOf } from './request-head.ts'
import { sendAnswer } from './send-answer.ts'

export interface GraphQLRouteOptions {
  readonly api: Api
  readonly operations: Operations
  readonly documents: Documents
  /** Undefined: every answer is made anew. */
  readonly responses: ResponseCache | undefined
  readonly encoded: EncodedAnswers
  readonly explainer: Explainer
  readonly authenticator: Authenticator
  readonly database: Database
  readonly follower: Follower
  readonly ledger: Ledger
  readonly catchUpTimeoutMs: number
  /** For how long to answer while the log can't be read, in milliseconds. 0: for ever. */
  readonly logSilenceMaxMs: number
  /** Whether what proxies say of where a request came from may be believed. */
  readonly trustsProxy: boolean
  readonly isClosing: () => boolean
  readonly onAnswer: (answered: Answered) => void
}

/**
 * The way of a GraphQL request, from top to bottom:
 *
 *   receive  what was sent is known byte for byte, and memory holds the answer: it goes out, and nothing is parsed
 *   repeat   else, where the same was run before, with other variables perhaps: it is run again, past Fastify
 *   handle   else: who asks, from which position on, and for what: a document may be named instead of sent
 *   find     an answer that may be kept: from memory or Redis, from whoever makes it just now, or made here
 *   make     the operation is run, by Apollo where it was not before: see graphql/api.ts
 *   judge    whether that is kept, for whom and for how long
 *   explain  instead, for admins: what `find` and `judge` would have come to
 *   send     304 or bytes, compressed or not, under a head that says where they came from
 */
export class GraphQLRoute {
  readonly #options: GraphQLRouteOptions
  #lastToken = { place: { position: -1, epoch: '' }, text: '' }
  /** As Fastify does: what would reach for prototypes is refused. */
  #parseJson: (text: string) => Promise<unknown> = () => Promise.reject(new Error('There is no parser yet.'))

  constructor(options: GraphQLRouteOptions) {
    this.#options = options
  }

  /** Answers what was answered before, or run, else calls `pass`. It stands before Fastify, whose parsers and hooks take longer than all of this. */
  receive(request: IncomingMessage, response: ServerResponse, pass: () => void): void {
    const { method, url = '', headers } = request
    if (isGraphQL(url) && method === 'POST') {
      readBody(request, MAX_BODY_BYTES, (body) => {
        if (body && isJson(headers)) this.#receive({ request, body, response, pass })
        else pass()
      })
    } else if (isGraphQL(url) && (method === 'GET' || method === 'HEAD')) {
      this.#receive({ request, body: undefined, response, pass })
    } else {
      pass()
    }
  }

  /** For whatever `receive` can't answer. */
  register(app: FastifyInstance): void {
    app.register(async (scope) => {
      scope.removeAllContentTypeParsers()
      const parseJson = scope.getDefaultJsonParser('error', 'error')
      this.#parseJson = (text) =>
        new Promise((resolve, reject) => {
          // Fastify has no request yet, and its parser needs none.
          const parsed = (error: Error | null, body: unknown) => (error ? reject(error) : resolve(body))
          void parseJson(undefined as never, text, parsed)
        })
      scope.addContentTypeParser(['application/json', 'text/plain'], (request, _payload, done) => {
        // Once: the router knows more ways to write a path than `receive` does, and may be the first to read.
        readBody(request.raw, MAX_BODY_BYTES, (body) => {
          if (!body) return done(new errorCodes.FST_ERR_CTP_BODY_TOO_LARGE())
          const text = textOf(body)
          if (request.mediaType === 'text/plain') done(null, text)
          else void parseJson(request, text, done)
        })
      })
      const handler = (request: FastifyRequest, reply: FastifyReply) => this.#handle(request, reply)
      scope.route({ method: ['GET', 'HEAD', 'POST'], url: '/graphql', handler })
    })
  }

  #receive({ request, body, response, pass }: Received): void {
    const { responses, authenticator, ledger, follower } = this.#options
    const { headers } = request
    const isDoubtful = isUnsure(follower) || this.#isOutOfTouch()
    if (!responses || asksForMore(headers) || !isHost(headers.host) || isDoubtful) {
      pass()
      return
    }
    const startedAt = performance.now()
    const known = responses.knownOf(spellingOf(request, body))
    const viewer = authenticator.recall(headers.authorization)
    const mediaType = chooseMediaType(headers.accept)
    const position = positionAtHand(headers['stet-as-of'], ledger)
    if (!viewer || !mediaType || position === undefined) {
      pass()
      return
    }
    const requestId = requestIdOf(headers)
    const asking: Asking = { viewer, position, bypass: false, unsure: false, requestId, address: '' }
    const answer = { mediaType, asking, startedAt }
    if (known) {
      const { meaning } = known
      const want = (key: string) => this.#wantAgain(key, request, body, answer)
      const isVisitor = viewer.kind === 'visitor'
      const obtained =
        responses.getIfPresent(want(answerKey(meaning, viewer)), { position }) ??
        (isVisitor ? undefined : responses.getIfPresent(want(sharedKey(meaning)), { position }))
      if (obtained) {
        this.#send(request, response, { ...answer, obtained })
        return
      }
    }
    const address = request.socket.remoteAddress ?? ''
    const repeating = { ...answer, asking: { ...asking, address }, meaning: known?.meaning }
    void this.#repeat({ request, body, response, pass }, repeating)
  }

  /** Runs what was run before. Whatever comes of it but an answer, and whatever is wrong, is left for `handle` to tell. */
  async #repeat(
    { request, body, response, pass }: Received,
    { meaning, ...answer }: Omit<Answer, 'obtained' | 'made'> & { readonly meaning: string | undefined },
  ): Promise<void> {
    const { asking, mediaType, startedAt } = answer
    const repeated = await this.#readRepeated(request, body).catch(() => undefined)
    if (!repeated) return pass()
    const { http, tells, question } = repeated
    const spelling = tells ? undefined : spellingOf(request, body)
    const finding = this.#findOrRun({ http, runnable: { ...question, mediaType }, asking, spelling, meaning })
    const found = await finding.catch(() => undefined)
    if (found && 'obtained' in found) return this.#send(request, response, { ...answer, ...found })
    const operation = question.operation.type
    if (found && (found.made.response.status ?? 200) === 200 && request.method !== 'HEAD') {
      return this.#sendMade(response, found.made, { operation, asking, startedAt })
    }
    request[RUN] = { finding, operation, ...answer }
    // It stays the same request.
    request.headers['x-request-id'] = asking.requestId
    pass()
  }

  /** Undefined for what wasn't run before, or must go through Fastify. */
  async #readRepeated(
    request: IncomingMessage,
    body: Buffer | undefined,
  ): Promise<(Resolved & { readonly question: Question }) | undefined> {
    const { documents, operations, trustsProxy } = this.#options
    const { method, url, headers } = request
    const sent = toApollo({ method, url, headers, body: body && (await this.#parseJson(textOf(body))) })
    const resolved = await documents.resolve(sent)
    const question = readQuestion(resolved.http, operations)
    if (!question?.operation.document?.deref()) return undefined
    // Fastify knows which proxy is to be believed, and so where the request came from; those who write may be limited by that.
    if (question.operation.type !== 'query' && trustsProxy) return undefined
    return { ...resolved, question }
  }

  async #handle(request: FastifyRequest, reply: FastifyReply): Promise<unknown> {
    const { [RUN]: run } = request.raw as Received['request']
    if (run) return this.#deliver(request, reply, await run.finding, run)
    const startedAt = performance.now()
    const { api, operations, documents, explainer } = this.#options
    const sent = toApollo(request)
    let asking: Asking
    let resolved: Resolved
    try {
      asking = await this.#whoAsks(request)
      resolved = await documents.resolve(sent)
    } catch (error) {
      return replyWith(reply, await api.refuse(sent, toGraphQLError(error as Error, request.id)))
    }
    const { http, tells } = resolved
    const question = readQuestion(http, operations)
    const mediaType = chooseMediaType(request.headers.accept)
    const runnable = question && mediaType && { ...question, mediaType }
    const spelling = tells ? undefined : spellingOf(request.raw, bodyOf(request.raw))
    const found = explainer.isAsked(request.headers, asking.viewer)
      ? { made: await this.#explain(http, { question, asking, token: request.headers['stet-as-of']?.toString() }) }
      : await this.#findOrRun({ http, runnable, asking, spelling })
    const operation = question?.operation.type ?? 'none'
    return this.#deliver(request, reply, found, { operation, mediaType, asking, startedAt })
  }

  #deliver(
    request: FastifyRequest,
    reply: FastifyReply,
    found: Found | { readonly made: Made },
    { operation, mediaType, asking, startedAt }: Delivery,
  ): string | undefined {
    if (!('obtained' in found) || !mediaType) {
      const { made } = found as { readonly made: Made }
      return this.#reply(reply, made, { operation, startedAt })
    }
    reply.hijack()
    this.#send(request.raw, reply.raw, { ...found, mediaType, asking, startedAt })
    return undefined
  }

  /** Sends what is not kept. */
  #reply(
    reply: FastifyReply,
    made: Made,
    { operation, startedAt }: Pick<Answered, 'operation'> & Pick<Answer, 'startedAt'>,
  ): string {
    const word = cacheWord(made.context)
    this.#options.onAnswer({ operation, word, whole: 'uncached', seconds: secondsSince(startedAt) })
    return replyWith(reply.header('cache-status', madeStatus(word)), answered(made))
  }

  /** The same past Fastify. */
  #sendMade(
    response: ServerResponse,
    { context, response: { headers, body } }: Made,
    { operation, asking, startedAt }: Pick<Answered, 'operation'> & Pick<Answer, 'asking' | 'startedAt'>,
  ): void {
    const { isClosing, onAnswer } = this.#options
    if (body.kind !== 'complete') throw new TypeError('Nothing here is delivered in parts.')
    const word = cacheWord(context)
    const rest = Buffer.from(`\r\n${body.string}`)
    const all = {
      'cache-control': PRIVATE,
      ...Object.fromEntries(headers),
      'cache-status': madeStatus(word),
      'x-request-id': asking.requestId,
      'content-length': rest.length - 2,
    }
    let lines = ''
    for (const [name, value] of Object.entries(all)) lines += `${name}: ${value}\r\n`
    if (isClosing()) response.shouldKeepAlive = false
    sendAnswer(response, { status: 200, lines, rest })
    onAnswer({ operation, word, whole: 'uncached', seconds: secondsSince(startedAt) })
  }

  /** Who asks, and from which position on: settled before anything is read. */
  async #whoAsks({ headers, id: requestId, ip: address }: FastifyRequest): Promise<Asking> {
    const { authenticator, follower, ledger, catchUpTimeoutMs } = this.#options
    const viewer = await authenticator.authenticate(headers.authorization)
    if (this.#isOutOfTouch()) {
      const message = 'This node has not heard of any change for too long: try another.'
      throw new AskerError('UNAVAILABLE', message, { status: 503 })
    }
    const token = headers['stet-as-of']
    const position =
      typeof token === 'string' && token !== '' ? await catchUp(token, follower, ledger, catchUpTimeoutMs) : 0
    // For whoever is signed in: else any visitor could send every read to the database.
    const bypass = viewer.kind !== 'visitor' && /\bno-cache\b/.test(headers['cache-control'] ?? '')
    return { viewer, position, bypass, unsure: isUnsure(follower), requestId, address }
  }

  /** The log could not be read for so long that nobody is to be answered. */
  #isOutOfTouch(): boolean {
    const { follower, logSilenceMaxMs } = this.#options
    return logSilenceMaxMs > 0 && follower.unsureForMs > logSilenceMaxMs
  }

  /** An answer that is kept, or may be; or else one for this once. */
  async #findOrRun({
    runnable,
    ...asked
  }: Omit<Asked, 'runnable'> & { readonly runnable: Runnable | undefined }): Promise<Found | { readonly made: Made }> {
    const { responses } = this.#options
    if (responses && runnable && !whyNeverKept(runnable.operation)) return this.#find(responses, { ...asked, runnable })
    return { made: await this.#run(asked.http, asked.asking, runnable) }
  }

  /** An answer that others may be given too; or, where it turns out to be for this one alone, that. */
  async #find(
    responses: ResponseCache,
    { http, runnable, asking, spelling, meaning = meaningOf(runnable) }: Asked,
  ): Promise<Found | { readonly made: Made }> {
    const { operation } = runnable
    const key = keyFor(operation, meaning, asking.viewer)
    if (responses.isUnkept(key)) return { made: await this.#run(http, asking, runnable) }
    let made: Made | undefined
    const run = async () => {
      made = await this.#run(http, asking, runnable)
      // Where something older is at hand, that is better.
      if (made.context.cacheControl.hasFailed) throw new FailedRun()
      // Learnt for the next one that asks.
      operation.isImpersonal = !made.context.cacheControl.isPersonal
      return judge(made, operation, key)
    }
    const { position, bypass } = asking
    const obtained = await responses.get({ key, run }, { position, bypass }).catch((error: Error) => {
      if (!(error instanceof FailedRun)) throw error
      return undefined
    })
    if (!obtained?.entry.value) return { made: made ?? (await this.#run(http, asking, runnable)) }
    if (spelling !== undefined) responses.learn(spelling, meaning)
    return { obtained, made }
  }

  #explain(http: HTTPGraphQLRequest, { question, asking, token }: Explained): Promise<Made> {
    const { viewer, position, bypass } = asking
    const meaning = question && meaningOf(question)
    const key = question && meaning && keyFor(question.operation, meaning, viewer)
    const keys = meaning && viewer.kind !== 'visitor' ? [answerKey(meaning, viewer), sharedKey(meaning)] : []
    const asked = {
      operation: question?.operation,
      key,
      otherKey: keys.find((it) => it !== key),
      viewer,
      position,
      bypass,
      token,
    }
    return this.#options.explainer.explain(asked, (onRead) => this.#make(http, asking, { onRead }))
  }

  /** Makes an answer; that to a query again where another history of the log began meanwhile, since some of it was read in the one, and some in the other. */
  async #run(http: HTTPGraphQLRequest, asking: Asking, runnable: Runnable | undefined): Promise<Made> {
    for (;;) {
      const made = await this.#make(http, asking, { runnable })
      if (runnable?.operation.type !== 'query' || made.began.epoch === this.#options.ledger.epoch) return made
    }
  }

  async #make(
    http: HTTPGraphQLRequest,
    { viewer, bypass, position, unsure, requestId, address }: Asking,
    { runnable, onRead }: { readonly runnable?: Runnable | undefined; readonly onRead?: Reader['onRead'] },
  ): Promise<Made> {
    const { api, database, follower, ledger } = this.#options
    const began = ledger.place
    const parts = { database, follower, ledger, requestId, viewer, address, bypass, position, unsure, onRead }
    const context = new RequestContext(parts)
    const response = await api.answer(http, context, runnable)
    return { context, response, began }
  }

  #send(request: IncomingMessage, response: ServerResponse, answer: Answer): void {
    const { encoded } = this.#options
    const { value } = answer.obtained.entry
    if (!value) throw new TypeError('There is no answer to send.')
    const body = encoded.body(value, chooseEncoding(request.headers['accept-encoding'] as string | undefined))
    if (body instanceof Promise) void body.then((late) => this.#write(request, response, value, late, answer))
    else this.#write(request, response, value, body, answer)
  }

  #write(
    { method, headers }: IncomingMessage,
    response: ServerResponse,
    value: KeptAnswer,
    encoded: EncodedBody | undefined,
    { obtained, made, mediaType, asking, startedAt }: Answer,
  ): void {
    const { ledger, isClosing, onAnswer } = this.#options
    const { origin, stale, entry } = obtained
    const kept = origin !== 'source'
    const word = kept ? (stale || asking.unsure ? 'STALE' : 'HIT') : made ? cacheWord(made.context) : 'MISS'
    const form = {
      mediaType,
      encoded,
      // Nobody could tell whoever else keeps it that it has fallen.
      isPublic: value.isPublic && !asking.unsure,
    }
    const head = answerHead({
      obtained,
      word,
      isPublic: form.isPublic,
      isJoined: !kept && !made,
      // It is as good as one made now, or newer than this node knows of; unless another history has just begun.
      asOf: this.#token(Math.max(entry.epoch === ledger.epoch ? ledger.seen : entry.asOf, value.newest), entry.epoch),
      requestId: asking.requestId,
    })
    if (isClosing()) response.shouldKeepAlive = false
    const ifNoneMatch = method === 'POST' ? undefined : headers['if-none-match']
    const isUnchanged = ifNoneMatch !== undefined && isHeld(ifNoneMatch, entityTag(value, form))
    const { lines, rest } = isUnchanged
      ? representUnchanged(value, form)
      : represent(value, form, { withBody: method !== 'HEAD' })
    sendAnswer(response, { status: isUnchanged ? 304 : 200, lines: head + lines, rest })
    const whole = kept ? (word === 'STALE' ? 'stale' : 'hit') : 'miss'
    onAnswer({ operation: 'query', word, whole, seconds: secondsSince(startedAt) })
  }

  /** Kept until there is another one. */
  #token(position: number, epoch: string): string {
    const { place } = this.#lastToken
    if (place.position !== position || place.epoch !== epoch) {
      this.#lastToken = { place: { position, epoch }, text: formatToken(position, epoch) }
    }
    return this.#lastToken.text
  }

  /** The same once more: it is refreshed in the background. */
  #wantAgain(
    key: string,
    request: IncomingMessage,
    body: Buffer | undefined,
    { asking, mediaType }: Pick<Answer, 'asking' | 'mediaType'>,
  ): Wanted {
    const run = async () => {
      const { method, url, headers } = request
      const sent = toApollo({ method, url, headers, body: body && JSON.parse(textOf(body)) })
      const { http } = await this.#options.documents.resolve(sent)
      const question = readQuestion(http, this.#options.operations)
      if (!question) throw new Error('What was answered before can no longer be read.')
      const made = await this.#run(http, asking, { ...question, mediaType })
      if (made.context.cacheControl.hasFailed) throw new FailedRun()
      return judge(made, question.operation, key)
    }
    return { key, run }
  }
}

/** A part of the answer could not be had, through no fault of whoever asked. */
class FailedRun extends Error {}

/** A request as it comes, before Fastify. */
interface Received {
  readonly request: IncomingMessage & {
    [RUN]?: Delivery & { readonly finding: Promise<Found | { readonly made: Made }> }
  }
  readonly body: Buffer | undefined
  readonly response: ServerResponse
  /** Has Fastify answer it. */
  readonly pass: () => void
}

/** What was run for a request already, as the request holds it. HAZARD: a mutation must not be run twice. */
const RUN = Symbol('run')

interface Delivery extends Pick<Answered, 'operation'>, Pick<Answer, 'asking' | 'startedAt'> {
  readonly mediaType: MediaType | undefined
}

/** Who asks, and how. */
interface Asking {
  readonly viewer: Viewer
  /** The log position that they know of. */
  readonly position: number
  /** Read through to the database. */
  readonly bypass: boolean
  /** The log can't be read: others may have written what nobody here knows of. */
  readonly unsure: boolean
  readonly requestId: string
  /** Where the request came from. */
  readonly address: string
}

interface Asked {
  readonly http: HTTPGraphQLRequest
  readonly runnable: Runnable
  readonly asking: Asking
  /** Undefined where the same must be read again the next time. */
  readonly spelling: string | undefined
  /** Where that is known. */
  readonly meaning?: string | undefined
}

/** What is asked to be explained. */
interface Explained extends Pick<Asked, 'asking'> {
  readonly question: Question | undefined
  readonly token: string | undefined
}

interface Found {
  readonly obtained: Obtained<KeptAnswer>
  /** How, where it was made for this request. */
  readonly made?: Made | undefined
}

interface Answer extends Found {
  readonly mediaType: MediaType
  readonly asking: Asking
  readonly startedAt: number
}

/** The key under which an answer for `viewer` is kept. */
function keyFor(operation: Operation, meaning: string, viewer: Viewer): string {
  const shares = viewer.kind !== 'visitor' && operation.isImpersonal && !operation.isPrivate
  return shares ? sharedKey(meaning) : answerKey(meaning, viewer)
}

/** Others may have written what this node can't hear of. A beat may be late on a busy machine. */
const isUnsure = ({ unsureForMs, beatMs }: Follower): boolean => unsureForMs > Math.max(2000, 4 * beatMs)

/** What is wrong with a question is told by its errors alone to those who take plain JSON (GraphQL over HTTP, section 6.4.1). */
function answered({ response, context }: Made): HTTPGraphQLResponse {
  const { status, headers } = response
  const isPlainJson = headers.get('content-type')?.startsWith('application/json')
  return status === 400 && context.progress.isQuestion && isPlainJson ? { ...response, status: 200 } : response
}

/** The body, for Fastify to send under that head. */
function replyWith(reply: FastifyReply, { status = 200, headers, body }: HTTPGraphQLResponse): string {
  if (body.kind !== 'complete') throw new TypeError('Nothing here is delivered in parts.')
  void reply.code(status).header('cache-control', PRIVATE).headers(Object.fromEntries(headers))
  return body.string
}

const secondsSince = (startedAt: number): number => (performance.now() - startedAt) / 1000

const MAX_BODY_BYTES = 4 * 1024 * 1024
