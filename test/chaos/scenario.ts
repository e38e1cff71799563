import type { Dice } from '../integration/oracle/dice.ts'
import type { ChaosNode } from './chaos-node.ts'
import type { ViolationKind } from './checker/violation.ts'
import type { LogEnd } from './history/history.ts'
import type { Servers, StartServers } from './servers/servers.ts'

/** What goes wrong, and what may come of it. */
export interface Scenario<S extends Servers = Servers> {
  /** Reads as: "…, and no answer is wrong". */
  readonly name: string
  readonly servers: StartServers<S>
  /** More of the environment of every node. */
  readonly environment?: NodeJS.ProcessEnv
  readonly tolerates?: Tolerance
  /** How long a client waits for an answer. Default 2,000. */
  readonly patienceMs?: number
  /** Left out of `npm test`, which has little time. Default false. */
  readonly onlyLong?: boolean
  /**
   * One blow: breaks something, holds it for a while, and mends it. Called again and again, with pauses in between, while
   * clients go on asking. Whatever it breaks it must have mended when it resolves.
   */
  strike(world: StruckWorld<S>): Promise<void>
}

export interface StruckWorld<S extends Servers> {
  readonly servers: S
  readonly nodes: readonly ChaosNode[]
  readonly dice: Dice
  /** Writes into the history what is done now. */
  note(what: string): void
  /** Writes into the history that the log's past was lost: what answers have shown so far counts only as far as these ends. */
  lost(ends: readonly LogEnd[]): void
  /** For how long something stays broken: a random time between these. */
  hold(leastMs: number, mostMs: number): Promise<void>
}

export interface Tolerance {
  /** Codes of errors that are no surprise. Default: all that say "not now". INTERNAL_SERVER_ERROR always is one. */
  readonly errors?: readonly string[]
  /** What is documented to be lost. Never what is wrong. */
  readonly losses?: readonly Extract<ViolationKind, 'lost view' | 'lost write'>[]
}

/** Of any world: so that all of them fit into one list. */
export interface AnyScenario extends Omit<Scenario, 'servers' | 'strike'> {
  readonly servers: StartServers<Servers>
  strike(world: StruckWorld<Servers>): Promise<void>
}

/** Ties what a scenario strikes to the servers that it asks for. */
export const scenario = <S extends Servers>(given: Scenario<S>): AnyScenario => given as unknown as AnyScenario
