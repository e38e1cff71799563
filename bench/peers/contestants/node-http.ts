import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { answerBench } from '../answer-bench.ts'
import { preparedAnswer } from '../prepared-answer.ts'

/** The ceiling: Node's own server reads each request to its end, and sends the same bytes. */
const { body, headers } = preparedAnswer()
const server = createServer((request, response) => {
  request.resume()
  request.once('end', () => {
    response.writeHead(200, headers)
    response.end(body)
  })
})
server.listen(0, '127.0.0.1', () => answerBench(server.address() as AddressInfo))
