// Loaded into a node by `fuzz-node.ts`. Told SIGUSR2, it collects garbage and writes how much of its heap is left.
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { isMainThread } from 'node:worker_threads'

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc')

if (isMainThread) {
  process.on('SIGUSR2', () => {
    collect()
    const { heapUsed, external } = process.memoryUsage()
    process.stderr.write(`${JSON.stringify({ heldBytes: heapUsed + external })}\n`)
  })
}
