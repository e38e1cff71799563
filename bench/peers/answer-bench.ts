import { setImmediate } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

/** What the bench asks the process of a contestant, over IPC. */
export type Question = { readonly cpu: true } | { readonly memory: true } | { readonly titles: readonly number[] }

interface Contestant {
  /** Where it listens. */
  readonly port: number
  /** The titles that the articles really have. */
  readonly titles?: (ids: readonly number[]) => readonly string[] | Promise<readonly string[]>
}

/** Tells the bench that the contestant is ready, and answers its questions until the bench has gone. */
export function answerBench({ port, titles }: Contestant): void {
  process.on('message', async (question: Question) => {
    process.send?.(await answer(question))
  })
  process.on('disconnect', () => process.exit())
  process.send?.({ port })

  async function answer(question: Question): Promise<unknown> {
    if ('cpu' in question) return process.cpuUsage()
    if ('memory' in question) return heldBytes()
    return (await titles?.(question.titles)) ?? []
  }
}

async function heldBytes(): Promise<number> {
  setFlagsFromString('--expose-gc')
  // Otherwise the code of functions that were not called lately is dropped meanwhile, which is no answer's doing.
  setFlagsFromString('--no-flush-bytecode')
  const collectGarbage = runInNewContext('gc') as () => void
  // A buffer is freed after the collection that finds it unused.
  for (let round = 0; round < 3; round++) {
    collectGarbage()
    await setImmediate()
  }
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}
