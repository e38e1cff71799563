import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { setImmediate as turn } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { afterEach, beforeEach, expect, it } from '@jest/globals'
import { eventually } from '../../test/harness/eventually.ts'
import { checkPrivateMembers } from './check-private-members.ts'
import { inOrder } from './wire.ts'

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void

/** All responses that were begun, as long as something holds them. */
let begun: WeakRef<ServerResponse>[]
/** How the responses are ended that wait. */
let ends: (() => void)[]
let server: ReturnType<typeof createServer>
let client: Socket
let received: string

beforeEach(async () => {
  await checkPrivateMembers()
  begun = []
  ends = []
  received = ''
  const handle = inOrder(
    (_request, response) => void ends.push(() => response.end('x')),
    () => {},
  )
  server = createServer((request, response) => {
    begun.push(new WeakRef(response))
    handle(request, response)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  client = connect((server.address() as AddressInfo).port, '127.0.0.1')
  client.setEncoding('latin1').on('data', (text: string) => {
    received += text
  })
})

afterEach(() => {
  client.destroy()
  server.close()
})

it('holds two responses of a connection on which another request always waits', async () => {
  client.write(GET)
  for (let n = 1; n <= 40; n++) {
    client.write(GET)
    await eventually(() => begun.length === n + 1 && ends.length > 0)
    ends.shift()?.()
    await eventually(() => answered() === n)
  }
  expect(await countHeld()).toBeLessThanOrEqual(3)
})

it('holds nothing of an idle connection', async () => {
  client.write(GET)
  await eventually(() => ends.length > 0)
  ends.shift()?.()
  await eventually(() => answered() === 1)
  expect(await countHeld()).toBe(0)
  expect(client.destroyed).toBe(false)
})

const GET = 'GET / HTTP/1.1\r\nHost: test\r\n\r\n'

const answered = (): number => received.split('HTTP/1.1 200').length - 1

async function countHeld(): Promise<number> {
  // A WeakRef that was read is good until the turn ends.
  for (let time = 0; time < 3; time++) {
    await turn()
    collectGarbage()
  }
  return begun.filter((each) => each.deref() !== undefined).length
}
