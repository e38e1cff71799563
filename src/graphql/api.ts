import {
  ApolloServer,
  type ApolloServerPlugin,
  HeaderMap,
  type HTTPGraphQLRequest,
  type HTTPGraphQLResponse,
} from '@apollo/server'
import {
  ApolloServerPluginCacheControlDisabled,
  ApolloServerPluginLandingPageDisabled,
  ApolloServerPluginSchemaReportingDisabled,
  ApolloServerPluginUsageReportingDisabled,
} from '@apollo/server/plugin/disabled'
import { makeExecutableSchema } from '@graphql-tools/schema'
import { type DocumentNode, type ExecutionResult, GraphQLError, type GraphQLSchema } from 'graphql'
import { ClientError } from '../kernel/errors.ts'
import { type AnswerLimits, answerTooLarge, Executor } from './execution/index.ts'
import { gatewayTo } from './gateway.ts'
import {
  type CostLimits,
  type DocumentStore,
  type Introspection,
  limitComplexity,
  type Operation,
} from './operation/index.ts'
import { addCodes, type Context, isOurFault, isUnexpected, maskError, nameMutations } from './resolving/index.ts'
import { dateTime, mergeResolvers, nodeResolvers, type Room, readSchema } from './schema/index.ts'

export interface ApiOptions {
  readonly rooms: readonly Room[]
  /** What one operation may cost. */
  readonly maxCost: CostLimits
  readonly limits: AnswerLimits
  readonly introspection: Introspection
  readonly documents: DocumentStore
  /** How many fields the plans of operations may have together. */
  readonly maxPlannedFields: number
  /** Called with what each operation costs that is about to be run. */
  readonly onPriced?: (cost: number) => void
  /** Called for every error that a client is not told of. It should be logged. */
  readonly onUnexpected: (error: Error, requestId: string | undefined) => void
}

/** An operation to run, found without Apollo. */
export interface Runnable {
  readonly operation: Operation
  readonly operationName: string | undefined
  readonly variables: Readonly<Record<string, unknown>> | undefined
  readonly mediaType: string
}

/** The GraphQL API: the schema, and what the rooms make of it. */
export class Api {
  readonly schema: GraphQLSchema
  readonly #apollo: ApolloServer<Context>
  readonly #runner: Runner
  readonly #limits: AnswerLimits

  constructor(options: ApiOptions) {
    const { rooms, maxCost, limits, introspection, onPriced, documents, maxPlannedFields } = options
    const schema = makeExecutableSchema({
      typeDefs: readSchema(),
      resolvers: nameMutations(
        mergeResolvers([{ DateTime: dateTime }, nodeResolvers(rooms), ...rooms.map((room) => room.resolvers)]),
      ),
    })
    this.schema = schema
    this.#limits = limits
    this.#runner = new Runner({
      executor: new Executor(schema, limits, { maxPlannedFields }),
      limit: limitComplexity(schema, maxCost),
      introspection,
      onPriced,
    })
    this.#apollo = new ApolloServer<Context>({
      gateway: gatewayTo(schema),
      plugins: [
        answerBy(this.#runner),
        reportErrors(options),
        // Hints are read by `Operations`, once for each document. Nothing here calls home, or makes a browser do so.
        ApolloServerPluginCacheControlDisabled(),
        ApolloServerPluginLandingPageDisabled(),
        ApolloServerPluginUsageReportingDisabled(),
        ApolloServerPluginSchemaReportingDisabled(),
      ],
      // `Documents` has resolved them.
      persistedQueries: false,
      documentStore: documents,
      maxRecursiveSelections: true,
      formatError: maskError,
      // `Introspection` decides, by the viewer.
      introspection: true,
      includeStacktraceInErrorResponses: false,
      // Nothing is authorized by cookies, so another site can't act for a visitor; and CDNs send plain GETs.
      csrfPrevention: false,
      stopOnTerminationSignals: false,
    })
  }

  start(): Promise<void> {
    return this.#apollo.start()
  }

  stop(): Promise<void> {
    return this.#apollo.stop()
  }

  /**
   * Answers a request. An operation that `Operations` knows to be valid is executed at once, without what else Apollo does.
   * If it then has errors, Apollo is given the result, to format them: nothing is executed twice.
   * @param runnable undefined: Apollo finds the operation, or says what is wrong
   */
  async answer(http: HTTPGraphQLRequest, context: Context, runnable?: Runnable): Promise<HTTPGraphQLResponse> {
    const { progress } = context
    if (runnable?.operation.type === 'subscription' && http.method === 'POST') throw noSubscriptions()
    const response =
      (runnable && (await this.#answerAtOnce(http, context, runnable))) ?? (await this.#askApollo(http, context))
    if (runnable && progress.document) runnable.operation.document = new WeakRef(progress.document)
    if (progress.refusal instanceof ClientError) throw progress.refusal
    if (isTooLarge(progress.result) || !this.#isShortEnough(response)) {
      // As the media type has it: a response in JSON has no status of its own (GraphQL over HTTP, section 6.4).
      throw answerTooLarge(this.#limits, runnable?.mediaType.includes('graphql-response') ? 400 : 200)
    }
    return response
  }

  #askApollo(http: HTTPGraphQLRequest, context: Context): Promise<HTTPGraphQLResponse> {
    return this.#apollo.executeHTTPGraphQLRequest({ httpGraphQLRequest: http, context: async () => context })
  }

  /** Undefined if Apollo must be asked. */
  async #answerAtOnce(
    { method }: HTTPGraphQLRequest,
    context: Context,
    { operation, operationName, variables, mediaType }: Runnable,
  ): Promise<HTTPGraphQLResponse | undefined> {
    const document = operation.document?.deref()
    // A GET must not write. Apollo refuses it.
    if (!document || (operation.type !== 'query' && method !== 'POST')) return undefined
    context.progress.isQuestion = true
    try {
      this.#runner.prepare({ document, operationName, variables }, context)
    } catch (error) {
      if (error instanceof ClientError) throw error
      // Apollo finds the same, and says so.
      return undefined
    }
    const { errors, data } = await this.#runner.run(context)
    return errors ? undefined : answerOf(data, mediaType)
  }

  /** Answers a request that failed before it had a context. */
  refuse(http: HTTPGraphQLRequest, error: GraphQLError): Promise<HTTPGraphQLResponse> {
    return this.#apollo.executeHTTPGraphQLRequest({ httpGraphQLRequest: http, context: () => Promise.reject(error) })
  }

  /** The executor counts texts as they are. Written as JSON in UTF-8 they may be longer. */
  #isShortEnough({ body }: HTTPGraphQLResponse): boolean {
    const { maxBytes } = this.#limits
    return body.kind !== 'complete' || 3 * body.string.length <= maxBytes || Buffer.byteLength(body.string) <= maxBytes
  }
}

interface RunnerParts extends Pick<ApiOptions, 'introspection' | 'onPriced'> {
  readonly executor: Executor
  readonly limit: ReturnType<typeof limitComplexity>
}

/** Prepares, prices and runs the operation of a request: each once, whether Apollo is asked or not. */
class Runner {
  readonly #executor: Executor
  readonly #limit: ReturnType<typeof limitComplexity>
  readonly #introspection: Introspection
  readonly #onPriced: ApiOptions['onPriced']

  constructor({ executor, limit, introspection, onPriced }: RunnerParts) {
    this.#executor = executor
    this.#limit = limit
    this.#introspection = introspection
    this.#onPriced = onPriced
  }

  /** Throws a `ClientError` if the operation is beyond the limits or not for this viewer, a `GraphQLError` if an argument in it is wrong. */
  prepare({ document, operationName, variables }: Asked, { progress, role, onPriced }: Context): void {
    if (progress.prepared || progress.result) return
    this.#introspection.check(document, role)
    const prepared = this.#executor.prepare({ document, operationName, variables })
    if (!('operation' in prepared)) {
      progress.result = prepared
      return
    }
    const cost = this.#limit(prepared, variables, role)
    onPriced?.(cost)
    this.#onPriced?.(cost)
    progress.cost = cost
    progress.prepared = prepared
  }

  /** The result of what was prepared. */
  async run(context: Context): Promise<ExecutionResult> {
    const { progress } = context
    if (progress.result) return progress.result
    if (!progress.prepared) throw new TypeError('Nothing was prepared.')
    progress.result = await this.#executor.run(progress.prepared, context, context.inOneSnapshot)
    // To write an answer of megabytes may take longer than to make it.
    await context.goOn?.()
    return progress.result
  }
}

/** A valid document, and what of it is to be run. */
interface Asked {
  readonly document: DocumentNode
  readonly operationName: string | null | undefined
  readonly variables: Readonly<Record<string, unknown>> | null | undefined
}

const noSubscriptions = () => new ClientError('BAD_USER_INPUT', 'Subscriptions are not answered here.', { status: 400 })

const isTooLarge = (result: ExecutionResult | undefined): boolean =>
  result?.errors?.some(
    ({ originalError }) => originalError instanceof ClientError && originalError.code === 'ANSWER_TOO_LARGE',
  ) ?? false

/** An answer without errors, as Apollo writes it. */
const answerOf = (data: ExecutionResult['data'], mediaType: string): HTTPGraphQLResponse => ({
  headers: new HeaderMap([['content-type', mediaType]]),
  body: { kind: 'complete', string: `${JSON.stringify({ data })}\n` },
})

/**
 * Executes operations in Apollo's place. A result with errors goes back to Apollo by its gateway, because Apollo formats only
 * errors that come from there. HAZARD: not every result may go that way. For each, Apollo makes an object with getters; V8 keeps
 * its hidden class, and with it the request, until a major collection.
 */
const answerBy = (runner: Runner): ApolloServerPlugin<Context> => ({
  async requestDidStart() {
    return {
      async didResolveOperation({ request: { variables, operationName }, document, contextValue }) {
        const { progress } = contextValue
        progress.document = document
        try {
          runner.prepare({ document, operationName, variables }, contextValue)
        } catch (error) {
          progress.refusal = error as Error
          throw error
        }
      },
      async responseForOperation({ contextValue }) {
        const { errors, data } = await runner.run(contextValue)
        if (errors) return null
        return {
          http: { status: undefined, headers: new HeaderMap() },
          body: { kind: 'single', singleResult: { data } },
        }
      },
    }
  },
})

/** Logs the errors that clients are not shown, and notes what errors say of an answer. */
function reportErrors({ onUnexpected, introspection }: ApiOptions): ApolloServerPlugin<Context> {
  const report = (error: Error, requestId: unknown) => {
    const cause = error instanceof GraphQLError ? (error.originalError ?? error) : error
    onUnexpected(cause, typeof requestId === 'string' ? requestId : undefined)
  }
  return {
    async contextCreationDidFail({ error }) {
      if (error instanceof GraphQLError && !isUnexpected(error)) return
      report(error, error instanceof GraphQLError ? error.extensions.requestId : undefined)
    },
    async unexpectedErrorProcessingRequest({ error, requestContext }) {
      report(error, requestContext.contextValue.requestId)
    },
    async requestDidStart() {
      return {
        async didResolveSource({ contextValue }) {
          contextValue.progress.isQuestion = true
        },
        async didEncounterErrors({ errors, contextValue }) {
          addCodes(errors)
          introspection.hideSuggestions(errors, contextValue.role)
          for (const error of errors.filter(isUnexpected)) report(error, contextValue.requestId)
        },
        async willSendResponse({ response, contextValue }) {
          if (response.body.kind !== 'single') return
          const { errors } = response.body.singleResult
          contextValue.cacheControl.isPartial = errors !== undefined
          contextValue.cacheControl.hasFailed = errors?.some(isOurFault) ?? false
          for (const { extensions } of errors ?? []) {
            if (extensions?.code === 'INTERNAL_SERVER_ERROR') extensions.requestId = contextValue.requestId
          }
        },
      }
    },
  }
}
