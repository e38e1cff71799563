import { readdirSync } from 'node:fs'
import type { AnyScenario } from './scenario.ts'

/** Those of every file in `scenarios/`, those of the same world beside each other. */
export async function allScenarios(): Promise<AnyScenario[]> {
  const folder = new URL('./scenarios/', import.meta.url)
  const files = readdirSync(folder).filter((name) => name.endsWith('.ts'))
  const scenarios: AnyScenario[] = []
  // One after the other: jest can't link two modules at a time.
  for (const name of files.sort()) scenarios.push(...(await import(new URL(name, folder).href)).default)
  return scenarios.sort((a, b) => compare(nameOfWorld(a), nameOfWorld(b)))
}

/** Those of the same world can follow each other in one. */
export const needSameWorld = (a: AnyScenario, b: AnyScenario): boolean =>
  a.servers === b.servers && nameOfWorld(a) === nameOfWorld(b)

const nameOfWorld = ({ servers, environment = {} }: AnyScenario): string => JSON.stringify([servers.name, environment])

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)
