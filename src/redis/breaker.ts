import {
  BrokenCircuitError,
  type CircuitBreakerPolicy,
  CircuitState,
  ConsecutiveBreaker,
  circuitBreaker,
  DelegateBackoff,
  handleAll,
} from 'cockatiel'

export interface BreakerOptions {
  /** How many failures in a row open the breaker. Default 5. */
  readonly failures?: number | undefined
  /** How long the breaker stays open before a probe, give or take a quarter, in milliseconds. Default 1000. */
  readonly resetMs?: number | undefined
  /** Rejects while the dependency is unwell. */
  readonly probe: () => Promise<unknown>
  /** Called at every change. `why` comes with 'open'. */
  readonly onState?: (state: BreakerState, why?: Error) => void
}

/**
 * What a breaker does with work:
 *
 *   closed     does it
 *   open       refuses it at once
 *   half-open  refuses it at once, while a probe finds out whether the dependency is well again
 */
export type BreakerState = 'closed' | 'half-open' | 'open'

/**
 * Keeps callers from waiting for a dependency that is unwell, and keeps the dependency from getting more work. A probe is never
 * a caller's work. It is sent when work is refused and a probe is due: so there is no timer, and an idle process sends none.
 */
export class Breaker {
  readonly #policy: CircuitBreakerPolicy
  readonly #probe: () => Promise<unknown>
  #probeAtMs = 0

  constructor({ failures = 5, resetMs = 1000, probe, onState }: BreakerOptions) {
    this.#probe = probe
    this.#policy = circuitBreaker(handleAll, {
      breaker: new ConsecutiveBreaker(failures),
      halfOpenAfter: new DelegateBackoff(() => {
        const openMs = resetMs * (0.75 + Math.random() / 2)
        this.#probeAtMs = performance.now() + openMs
        return openMs
      }),
    })
    let why: Error | undefined
    this.#policy.onFailure(({ reason }) => {
      why = 'error' in reason ? reason.error : undefined
    })
    this.#policy.onStateChange((state) => onState?.(names[state], state === CircuitState.Open ? why : undefined))
  }

  /** True while the breaker is closed. Otherwise this call sends the probe, if one is due. */
  admits(): boolean {
    if (this.#policy.state === CircuitState.Closed) return true
    // A half-open policy would make a second probe wait for the first.
    const isDue = this.#policy.state === CircuitState.Open && performance.now() >= this.#probeAtMs
    if (isDue) void this.#policy.execute(this.#probe).catch(() => {})
    return false
  }

  /** Rejects as `work` does, which counts as a failure. While the breaker is open, rejects at once with a refusal: see `isRefusal`. */
  async run<T>(work: () => Promise<T>): Promise<T> {
    if (!this.admits()) throw refusal()
    return this.#policy.execute(work)
  }
}

export const refusal = (): Error => new BrokenCircuitError('Not sent: the breaker is open')

export const isRefusal = (error: unknown): boolean => error instanceof BrokenCircuitError

const names: { readonly [State in CircuitState]: BreakerState } = {
  [CircuitState.Closed]: 'closed',
  [CircuitState.HalfOpen]: 'half-open',
  [CircuitState.Open]: 'open',
  // Cockatiel has this state for breakers that are opened by hand. Ours are not.
  [CircuitState.Isolated]: 'open',
}
