import { setImmediate as turn } from 'node:timers/promises'
import { beforeEach, expect, it } from '@jest/globals'
import { atTurnEnd, endTurn } from './turn-end.ts'

let sent: string[]
const send = (name: string) => atTurnEnd(() => void sent.push(name))

beforeEach(async () => {
  await turn()
  sent = []
})

it('sends together what was asked for in one turn of the event loop, in order', async () => {
  send('a')
  await Promise.resolve()
  send('b')
  await new Promise((resolve) => process.nextTick(resolve))
  send('c')
  expect(sent).toEqual([])
  await turn()
  expect(sent).toEqual(['a', 'b', 'c'])
})

it('sends at once when no other may work, with what the last is about to ask for', async () => {
  send('a')
  process.nextTick(() => send('b'))
  endTurn()
  expect(sent).toEqual([])
  await new Promise((resolve) => process.nextTick(resolve))
  expect(sent).toEqual(['a', 'b'])
})

it('sends each thing once, and what comes later in the next turn', async () => {
  send('a')
  endTurn()
  await new Promise((resolve) => process.nextTick(resolve))
  send('b')
  expect(sent).toEqual(['a'])
  await turn()
  await turn()
  expect(sent).toEqual(['a', 'b'])
})

it('waits, with what is asked for while it sends, for another turn', async () => {
  atTurnEnd(() => {
    sent.push('a')
    send('b')
  })
  endTurn()
  await new Promise((resolve) => process.nextTick(resolve))
  expect(sent).toEqual(['a'])
  await turn()
  expect(sent).toEqual(['a', 'b'])
})
