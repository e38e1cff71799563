import { setFlagsFromString } from 'node:v8'

/**
 * Tells V8 not to put new objects among the old ones. It begins to where many requests that wait at the same moment make
 * it believe that objects made there live long. They don't: a request's garbage then keeps the next one's alive, which
 * seems to prove it right, so that it goes on long after. A sixth of all that was allocated survived each collection, and
 * requests took up to twice as long (`npm run bench -- peers --workloads cold`). For the whole process, at any time.
 */
export const tuneV8 = (): void => setFlagsFromString('--no-allocation-site-pretenuring')
