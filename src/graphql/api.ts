import {
  ApolloServer,
  type ApolloServerOptions,
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
import { createExecutor, type Executor } from './execution/index.ts'
import { type Asked, limitComplexity, MAX_TOKENS, type Operation } from './operation/index.ts'
import { addCodes, type Context, isOurFault, isUnexpected, maskError } from './resolving/index.ts'
import { dateTime, nodeResolvers, type Resolvers, type Room, readSchema } from './schema/index.ts'

export interface ApiOptions {
  readonly rooms: readonly Room[]
  readonly maxComplexity: number
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
  readonly #apollo: ApolloServer<Context>
  readonly #execute: Executor
  readonly #limit: (asked: Asked) => void

  constructor(options: ApiOptions) {
    const { rooms, maxComplexity } = options
    const schema = makeExecutableSchema({
      typeDefs: readSchema(),
      resolvers: mergeResolvers([{ DateTime: dateTime }, nodeResolvers(rooms), ...rooms.map((room) => room.resolvers)]),
    })
    const execute = createExecutor(schema)
    const limit = limitComplexity(schema, maxComplexity)
    this.#execute = execute
    this.#limit = limit
    this.#apollo = new ApolloServer<Context>({
      gateway: gatewayTo(schema),
      plugins: [
        answerBy(execute, limit),
        reportErrors(options),
        // Hints are read by `Operations`, once for each document. Nothing here calls home, or makes a browser do so.
        ApolloServerPluginCacheControlDisabled(),
        ApolloServerPluginLandingPageDisabled(),
        ApolloServerPluginUsageReportingDisabled(),
        ApolloServerPluginSchemaReportingDisabled(),
      ],
      parseOptions: { maxTokens: MAX_TOKENS },
      // `Documents` has resolved them.
      persistedQueries: false,
      maxRecursiveSelections: true,
      formatError: maskError,
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
   * Answers a request. An operation that Apollo has answered before is known to be valid: it is executed at once, without
   * what else Apollo does. If it then has errors, Apollo is given the result, to format them: nothing is executed twice.
   * @param runnable undefined: Apollo finds the operation, or says what is wrong
   */
  async answer(http: HTTPGraphQLRequest, context: Context, runnable?: Runnable): Promise<HTTPGraphQLResponse> {
    const { progress } = context
    const document = runnable?.operation.document?.deref()
    // A GET must not write. Apollo refuses it.
    const mayRun = runnable && (runnable.operation.type === 'query' || http.method === 'POST')
    if (mayRun && document && this.#isWithinLimit(document, runnable)) {
      progress.isQuestion = true
      const { operationName, variables, mediaType } = runnable
      const result = await this.#execute({ document, operationName, variables, context })
      if (!result.errors) return answerOf(result.data, mediaType)
      progress.result = result
    }
    const response = await this.#apollo.executeHTTPGraphQLRequest({
      httpGraphQLRequest: http,
      context: async () => context,
    })
    if (runnable && progress.document) runnable.operation.document = new WeakRef(progress.document)
    return response
  }

  /** Answers a request that failed before it had a context. */
  refuse(http: HTTPGraphQLRequest, error: GraphQLError): Promise<HTTPGraphQLResponse> {
    return this.#apollo.executeHTTPGraphQLRequest({ httpGraphQLRequest: http, context: () => Promise.reject(error) })
  }

  #isWithinLimit(document: DocumentNode, { operationName, variables }: Runnable): boolean {
    try {
      this.#limit({ document, operationName, variables })
      return true
    } catch {
      // Apollo finds the same, and says so.
      return false
    }
  }
}

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
const answerBy = (execute: Executor, limit: (asked: Asked) => void): ApolloServerPlugin<Context> => ({
  async requestDidStart() {
    return {
      async didResolveOperation({ request: { variables }, document, operationName, contextValue: { progress } }) {
        limit({ document, operationName, variables })
        progress.document = document
      },
      async responseForOperation({ document, request: { operationName, variables }, contextValue }) {
        const { progress } = contextValue
        progress.result ??= await execute({ document, operationName, variables, context: contextValue })
        if (progress.result.errors) return null
        return {
          http: { status: undefined, headers: new HeaderMap() },
          body: { kind: 'single', singleResult: { data: progress.result.data } },
        }
      },
    }
  },
})

/** What Apollo calls a gateway. It hands on the schema, and the result that `answerBy` has. */
function gatewayTo(schema: GraphQLSchema): NonNullable<ApolloServerOptions<Context>['gateway']> {
  return {
    onSchemaLoadOrUpdate: (tell) => {
      tell({ apiSchema: schema, coreSupergraphSdl: '' })
      return () => {}
    },
    load: async () => ({
      executor: async ({ context }) => {
        const { result } = (context as Context).progress
        if (!result) throw new TypeError('An operation has not been executed.')
        return result
      },
    }),
    stop: async () => {},
  }
}

/** Logs the errors that clients are not shown, and notes what errors say of an answer. */
function reportErrors({ onUnexpected }: ApiOptions): ApolloServerPlugin<Context> {
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

/** Several rooms may add fields to one type. */
function mergeResolvers(all: readonly Resolvers[]): Resolvers {
  const merged: Record<string, object> = {}
  for (const resolvers of all) {
    for (const [type, fields] of Object.entries(resolvers)) {
      merged[type] = type === 'DateTime' ? fields : { ...merged[type], ...fields }
    }
  }
  return merged
}
