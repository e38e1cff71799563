import type { AddressInfo } from 'node:net'
import Fastify from 'fastify'
import { answerBench } from '../answer-bench.ts'
import { preparedAnswer } from '../prepared-answer.ts'

/** Fastify: parses each request, and sends the same bytes. */
const { body, headers } = preparedAnswer()
const app = Fastify()
app.route({ method: ['GET', 'POST'], url: '/graphql', handler: (_request, reply) => reply.headers(headers).send(body) })
await app.listen({ port: 0, host: '127.0.0.1' })
answerBench(app.server.address() as AddressInfo)
