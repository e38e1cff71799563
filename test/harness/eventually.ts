import { setTimeout as sleep } from 'node:timers/promises'

/**
 * Waits for an event: tries `check` again and again until it holds, that is, neither throws nor answers `false`,
 * and returns its answer. Fails with the last reason, also when `check` itself hangs.
 */
export async function eventually<T>(
  check: () => T | Promise<T>,
  { withinMs = 30_000 }: { readonly withinMs?: number } = {},
): Promise<Exclude<T, false>> {
  const deadline = performance.now() + withinMs
  let reason: unknown = new Error('the check never answered')
  do {
    const begun = performance.now()
    try {
      const answer = await before(deadline, check)
      if (holds(answer)) return answer
      reason = new Error('the condition stayed false')
    } catch (error) {
      if (!(error instanceof OutOfTime)) reason = error
    }
    // A check that is dear takes no more than half of the time: the machine has better things to do.
    const pauseMs = Math.min(200, Math.max(20, performance.now() - begun))
    await sleep(Math.min(pauseMs, Math.max(0, deadline - performance.now())))
  } while (performance.now() < deadline)
  const message = reason instanceof Error ? reason.message : String(reason)
  throw new Error(`not within ${withinMs} ms: ${message}`, { cause: reason })
}

function holds<T>(answer: T): answer is Exclude<T, false> {
  return answer !== false
}

class OutOfTime extends Error {}

async function before<T>(deadline: number, check: () => T | Promise<T>): Promise<T> {
  const timer = new AbortController()
  const timeout = sleep(deadline - performance.now(), undefined, { signal: timer.signal }).then(() => {
    throw new OutOfTime()
  })
  try {
    return await Promise.race([Promise.resolve().then(check), timeout])
  } finally {
    timer.abort()
  }
}
