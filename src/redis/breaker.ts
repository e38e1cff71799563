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
  /** How many failures in a row open it. Default 5. */
  readonly failures?: number
  /** How long it stays open before a probe, give or take a quarter, in milliseconds. Default 1000. */
  readonly resetMs?: number
  /** Rejects while the dependency is still unwell. */
  readonly probe: () => Promise<unknown>
  /** Told of every change. `why` comes with 'open'. */
  readonly onState?: (state: BreakerState, why?: Error) => void
}

/**
 * What becomes of work:
 *
 *   closed     it is done
 *   open       it is refused at once
 *   half-open  it is refused at once, while one probe finds out whether that must go on
 */
export type BreakerState = 'closed' | 'half-open' | 'open'

/**
 * Spares whoever would wait for a dependency that is unwell, and the dependency too. Nobody's work is the probe: that goes
 * out by itself, when work is refused and it is time for one. So there is no timer, and an idle process probes nothing.
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

  /** True while it is closed. Where it isn't, this is what sends the probe, should it be time. */
  admits(): boolean {
    if (this.#policy.state === CircuitState.Closed) return true
    // A policy that is half open would make this probe wait for the other.
    const isDue = this.#policy.state === CircuitState.Open && performance.now() >= this.#probeAtMs
    if (isDue) void this.#policy.execute(this.#probe).catch(() => {})
    return false
  }

  /** Rejects as `work` does, which counts as a failure; or at once, with what `isRefusal` recognizes. */
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
  // Nobody isolates it by hand.
  [CircuitState.Isolated]: 'open',
}
