import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import proxyAddr from '@fastify/proxy-addr'
import type { Asking, Found, Question } from '../answers/index.ts'
import { ApolloRequest, findOperation } from '../graphql/operation/index.ts'
import { toGraphQLError } from '../graphql/resolving/index.ts'
import { clientAddress, clientOf, visitor } from '../identity/index.ts'
import { catchUp, positionIfReached } from '../invalidation/index.ts'
import type { Answered } from '../metrics/index.ts'
import { answerOptions } from './answer-options.ts'
import { leadToPlayground } from './lead-to-playground.ts'
import { parseRequest } from './parse-request.ts'
import { checkMayRun, checkNoBatch, notCached, outOfTouch, RefusedRequest, refusedBody, tooMany } from './refusals.ts'
import { type Reply, replyWith, replyWithResponse, sendReply } from './reply.ts'
import {
  asksForMore,
  type CacheWishes,
  chooseMediaType,
  hasBody,
  hasHost,
  isBehindTls,
  isForPerson,
  isGraphQL,
  isJson,
  METHODS,
  rawKeyOf,
  readCacheWishes,
  requestIdOf,
} from './request-head.ts'
import type { RoadOptions } from './road-options.ts'
import { Turns } from './turns.ts'
import { inOrder, isTooLong, type ReadBodyOptions, readBody } from './wire.ts'

/**
 * The road of a request to `/graphql`. Every one walks it, whatever its method, and however its path is spelt:
 *
 *   order     waits until the answers before it on its connection have left
 *   read      its body, bounded
 *   present?  what the same bytes were answered with, if memory holds it and it stands. Synchronous: a hit leaves here
 *   who       asks
 *   since     which position the answer must reflect: this node catches up
 *   may it    go on, or has its client spent what it may? Before any of it is read, so that faulty requests count too. It takes its
 *             price once that is known, which is before it is run
 *   turn      the request waits until it may work: clients share the time
 *   what      is asked: documents by name are found, operations are parsed
 *   answer    it is explained, or found among the kept answers, or made
 *   send      a 304 or the bytes, under one head
 *
 * A step that can't go on throws, and the request is refused with what it threw.
 */
export class Road {
  readonly #options: RoadOptions
  readonly #turns = new Turns({ maxWaiting: MAX_WAITING, sliceMs: SLICE_MS, now: () => performance.now() })
  #isClosing = false

  constructor(options: RoadOptions) {
    this.#options = options
  }

  /** From now on each connection ends with its next response. */
  close(): void {
    this.#isClosing = true
  }

  /** Listens to a server: requests to `/graphql` walk the road, `others` go their way. */
  listener(others: RequestListener): RequestListener {
    const { unreadMaxMs, onRefused } = this.#options
    return inOrder(
      (request, response) => {
        const { url = '', method } = request
        // The server as a whole (RFC 9110, section 9.3.7).
        if ((url === '*' && method === 'OPTIONS') || isGraphQL(url)) return this.#walk(request, response)
        response.socket?.setTimeout(unreadMaxMs)
        others(request, response)
      },
      () => onRefused('pipelined'),
    )
  }

  #walk(request: IncomingMessage, response: ServerResponse): void {
    const call = {
      request,
      response,
      body: undefined,
      requestId: requestIdOf(request.headers),
      startedAt: performance.now(),
    }
    const { method = '' } = request
    if (hasBody(method)) this.#readBody(call)
    else if (method === 'GET' || method === 'HEAD') this.#answer(call)
    else this.#refuseMethod(call)
  }

  /** A long body is read only from those who have a token that is valid. */
  #readBody(call: Call): void {
    const { bodies, visitorsBodies, authenticator, onRefused } = this.#options
    const { request, response } = call
    const { authorization, 'content-length': length } = request.headers
    const read = (limits: ReadBodyOptions) =>
      readBody(request, response, limits, (body) => {
        if (typeof body === 'object') this.#answer({ ...call, body })
        else {
          onRefused(body)
          void this.#refuse(call, refusedBody(body, limits.maxBytes))
        }
      })
    if (!authorization) read(visitorsBodies)
    else if (length !== undefined && !isTooLong(request, visitorsBodies.maxBytes)) read(bodies)
    else {
      authenticator.verify(authorization, this.#addressOf(request)).then(
        () => read(bodies),
        (error) => this.#refuse(call, error),
      )
    }
  }

  #answer(call: Call): void {
    try {
      const present = this.#findPresent(call)
      if (present) this.#send(call, present)
      else if (this.#options.hasPlayground && isForPerson(call.request)) {
        leadToPlayground(call.response, { requestId: call.requestId, isSecure: this.#isSecure(call) })
      } else
        void this.#go(call)
          .then((outcome) => this.#send(call, outcome))
          .catch((error) => this.#refuse(call, error))
    } catch (error) {
      void this.#refuse(call, error as Error)
    }
  }

  /** What a request with the same bytes was answered with, if nothing in this one asks for more than that. */
  #findPresent({ request, body, requestId }: Call): Outcome | undefined {
    const { kept, finder, authenticator, follower, triggers, ledger } = this.#options
    const { headers } = request
    if (asksForMore(headers) || !hasHost(request) || (body && !isJson(headers))) return
    if (follower.isUnsure || triggers.missesWrites || this.#isOutOfTouch()) return
    const viewer = headers.authorization ? authenticator.recall(headers.authorization) : visitor
    const mediaType = chooseMediaType(headers.accept)
    const token = headers['stet-as-of']
    const position = token === undefined ? 0 : positionIfReached(token, ledger)
    if (!viewer || !mediaType || position === undefined) return
    const asking = { viewer, position, bypass: false, unsure: false, requestId, address: '' }
    const again = async (key: string) => finder.makeAgain(key, (await this.#what(request, body)).question, asking)
    const obtained = kept?.findPresent(rawKeyOf(request, body), { viewer, position }, again)
    if (!obtained) return
    return { reply: replyWith({ obtained }, { mediaType, unsure: false, ledger }), operation: 'query', isKept: true }
  }

  /** The rest of the road. */
  async #go(call: Call): Promise<Outcome> {
    const { authenticator, allowances, follower, triggers } = this.#options
    const { request, requestId } = call
    const { headers } = request
    if (!hasHost(request)) throw new RefusedRequest(400, 'The Host header names no host.')
    const address = this.#addressOf(request)
    const bearer = await authenticator.verify(headers.authorization, address)
    const position = await this.#since(headers['stet-as-of'])
    const viewer = await authenticator.viewerOf(bearer)
    const client = clientOf(viewer, address)
    const allowance = await allowances?.open(client)
    try {
      await this.#turns.take(client, () => {
        allowance?.waive()
        return tooMany(MAX_WAITING)
      })
      const wishes = readCacheWishes(headers['cache-control'])
      if (wishes.onlyIfCached) throw notCached()
      // For signed-in viewers only: otherwise any visitor could send every read to the database.
      const bypass = wishes.fresh && viewer.kind !== 'visitor'
      const unsure = triggers.missesWrites || (follower.isUnsure && !(await follower.reassure()))
      const goOn = () => this.#turns.goOn(client)
      const asking = { viewer, position, bypass, unsure, requestId, address, allowance, goOn }
      return await this.#find(call, asking, wishes)
    } finally {
      allowance?.close()
    }
  }

  /** What is asked, and its answer. */
  async #find({ request, body }: Call, asking: Asking, { unkept }: CacheWishes): Promise<Outcome> {
    const { finder, make, explainer, ledger } = this.#options
    const { headers } = request
    const { viewer, allowance } = asking
    const { question, registersAs } = await this.#what(request, body)
    const { runnable } = question
    const isExplained = headers['stet-explain'] === '1' && explainer.mayAsk(viewer)
    const found: Found = isExplained
      ? { made: await explainer.explain({ question, asking, token: headers['stet-as-of']?.toString() }, make) }
      : await finder.find({
          question,
          asking,
          rawKey: registersAs === undefined ? rawKeyOf(request, body) : undefined,
          isCacheable: request.method !== 'POST',
          mayKeep: !unkept,
        })
    if (!found.made) allowance?.waive()
    const reply = replyWith(found, { mediaType: chooseMediaType(headers.accept), unsure: asking.unsure, ledger })
    const isKept = found.obtained === undefined ? undefined : found.obtained.origin !== 'source'
    // Shared caches would tell others what is left of it.
    const isTold = found.made && !reply.lifetime
    const told = isTold ? { ...reply, rateLimit: allowance?.headers() } : reply
    return { reply: told, operation: runnable?.operation.type ?? 'none', isKept }
  }

  /** The position that the answer must reflect, once this node reflects it. */
  async #since(token: string | readonly string[] | undefined): Promise<number> {
    const { follower, ledger, catchUpTimeoutMs } = this.#options
    if (this.#isOutOfTouch()) throw outOfTouch()
    return positionIfReached(token, ledger) ?? catchUp(String(token), follower, ledger, catchUpTimeoutMs)
  }

  /** What is asked: the request with its document, and the operation to run if it names one. */
  async #what(
    request: IncomingMessage,
    body: Buffer | undefined,
  ): Promise<{ readonly question: Question; readonly registersAs: string | undefined }> {
    const { documents, operations } = this.#options
    const sent = new ApolloRequest(request, parseRequest(request, body))
    const { http, parameters, registersAs } = await documents.resolve(sent)
    checkNoBatch(sent.body, parameters.variables)
    const found = findOperation(parameters, operations)
    if (found) await documents.register(registersAs, parameters)
    const mediaType = chooseMediaType(request.headers.accept)
    if (found) checkMayRun(found.operation.type, request.method, mediaType)
    if (!found || !mediaType) return { question: { http, runnable: undefined }, registersAs }
    const { operation, operationName, variables } = found
    return { question: { http, runnable: { operation, operationName, variables, mediaType } }, registersAs }
  }

  #send(call: Call, { reply, operation, isKept }: Outcome): void {
    const { cors, cdn, encoded, onAnswer, onUnread } = this.#options
    const { request, response, requestId, startedAt } = call
    const isSecure = this.#isSecure(call)
    sendReply(reply, { request, response, requestId, encoded, isSecure, isLast: this.#isClosing, cors, cdn, onUnread })
    const word = reply.cache?.word
    if (word === undefined) return
    const whole = isKept === undefined ? 'uncached' : !isKept ? 'miss' : word === 'STALE' ? 'stale' : 'hit'
    onAnswer({ operation, word, whole, seconds: (performance.now() - startedAt) / 1000 })
  }

  /** Answers with an error. Apollo formats it, masks it if it is ours, and has it logged. */
  async #refuse(call: Call, error: Error): Promise<void> {
    const { api, ledger } = this.#options
    try {
      const told = error instanceof RefusedRequest ? error : toGraphQLError(error, call.requestId)
      const response = await api.refuse(new ApolloRequest(call.request, undefined), told)
      const reply = replyWithResponse(response, ledger.seen, ledger)
      this.#send(call, { reply, operation: 'none', isKept: undefined })
    } catch {
      // The error was reported. The head may have been sent, so the client can be told only by the end of the connection.
      call.response.destroy()
    }
  }

  #refuseMethod(call: Call): void {
    const { method } = call.request
    if (method === 'OPTIONS') {
      const { requestId, request, response } = call
      const { cors } = this.#options
      answerOptions(response, { headers: request.headers, requestId, isSecure: this.#isSecure(call), cors })
    } else {
      void this.#refuse(call, new RefusedRequest(405, `${method} is not answered here: ${METHODS} are.`, METHODS))
    }
  }

  #addressOf(request: IncomingMessage): string {
    return clientAddress(proxyAddr.all(request, this.#options.trustsProxy))
  }

  #isSecure({ request }: Call): boolean {
    return isBehindTls(request, this.#options.trustsProxy)
  }

  /** The log could not be read for so long that no request is answered. */
  #isOutOfTouch(): boolean {
    const { follower, logSilenceMaxMs } = this.#options
    return logSilenceMaxMs > 0 && follower.unsureForMs > logSilenceMaxMs
  }
}

/** A request on the road. */
interface Call {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  /** Undefined: it has none that is read. */
  readonly body: Buffer | undefined
  readonly requestId: string
  readonly startedAt: number
}

interface Outcome {
  readonly reply: Reply
  readonly operation: Answered['operation']
  /** Undefined: its answer may not be kept. */
  readonly isKept: boolean | undefined
}

const MAX_WAITING = 10_000
/** Shorter ones cost more statements: requests share the loads of one turn. */
const SLICE_MS = 2
