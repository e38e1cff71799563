import { needSameWorld } from './all-scenarios.ts'
import { type Report, type RunOptions, runScenario } from './run-scenario.ts'
import type { AnyScenario } from './scenario.ts'
import { startWorld, type World } from './world.ts'

/** Runs scenarios, those that need the same world in the same one, and adds up what came of them. */
export class ChaosRun {
  #world: { readonly of: AnyScenario; readonly world: World } | undefined
  readonly #reports: Report[] = []

  async run(scenario: AnyScenario, options: RunOptions): Promise<Report> {
    const world = await this.#worldFor(scenario)
    try {
      const report = await runScenario(world, scenario, options)
      this.#reports.push(report)
      // What is wrong in it stays wrong, and would be told of the next one too.
      if (report.violations.length > 0) await this.endWorld()
      return report
    } catch (cause) {
      const logs = world.nodes.map(({ name, log }) => `${name}:\n${log.slice(-3000)}`)
      await this.endWorld()
      throw new Error(`${scenario.name}: ${(cause as Error).message}\n${logs.join('\n')}`, { cause })
    }
  }

  get isClean(): boolean {
    return this.#reports.every(({ violations }) => violations.length === 0)
  }

  summary(): string {
    const sum = (count: (report: Report) => number) => this.#reports.reduce((total, report) => total + count(report), 0)
    const byName = (counts: (report: Report) => Readonly<Record<string, number>>) =>
      [...new Set(this.#reports.flatMap((report) => Object.keys(counts(report))))]
        .sort()
        .map((name) => `${name} ${sum((report) => counts(report)[name] ?? 0)}`)
        .join(', ')
    return [
      `${this.#reports.length} runs, ${sum(({ requests }) => requests)} requests, ${sum(({ writes }) => writes)} writes, ${sum(({ blows }) => blows)} blows`,
      `answered: ${byName(({ answered }) => answered)}`,
      `errors: ${byName(({ errors }) => errors) || 'none'}`,
      `violations: ${sum(({ violations }) => violations.length)}`,
    ].join('\n')
  }

  async endWorld(): Promise<void> {
    const ending = this.#world
    this.#world = undefined
    await ending?.world.end()
  }

  async #worldFor(scenario: AnyScenario): Promise<World> {
    if (this.#world && needSameWorld(this.#world.of, scenario)) return this.#world.world
    await this.endWorld()
    const world = await startWorld(scenario.servers, scenario.environment)
    this.#world = { of: scenario, world }
    return world
  }
}
