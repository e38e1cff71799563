import { expect, it } from '@jest/globals'
import { ItemOf } from '../../../test/models/queue-item.ts'
import { FifoQueue } from './fifo-queue.ts'

it('leaves nothing of itself in what has left it: an item that somebody still knows would keep all that came after it', () => {
  const queue = new FifoQueue<ItemOf<string>>()
  const items = ['a', 'b', 'c'].map((key) => new ItemOf(key, key, 1))
  for (const item of items) queue.push(item)
  for (const item of items.slice(0, 2)) {
    queue.remove(item)
    expect(item).toMatchObject({ queue: undefined, older: undefined, newer: undefined })
  }
  expect([queue.oldest, queue.bytes]).toEqual([items[2], 1])
})
