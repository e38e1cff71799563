import { Random } from '../../../src/kernel/random.ts'

/** Chances that a seed repeats exactly. */
export class Dice {
  readonly #random: Random

  constructor(seed: number) {
    this.#random = new Random(seed)
  }

  below(limit: number): number {
    return this.#random.below(limit)
  }

  /** True `percent` times in a hundred. */
  chance(percent: number): boolean {
    return this.#random.next() * 100 < percent
  }

  pick<T>(choices: readonly T[]): T {
    if (choices.length === 0) throw new Error('There is nothing to pick from.')
    return choices[this.below(choices.length)] as T
  }

  /** One of the choices, or undefined where there are none. */
  pickAny<T>(choices: readonly T[]): T | undefined {
    return choices.length === 0 ? undefined : this.pick(choices)
  }

  some<T>(choices: readonly T[], percent = 50): T[] {
    return choices.filter(() => this.chance(percent))
  }

  /** The fields whose chance came up. */
  maybe<T extends object>(fields: T, percent = 40): Partial<T> {
    return Object.fromEntries(Object.entries(fields).filter(() => this.chance(percent))) as Partial<T>
  }

  words(count: number): string {
    return Array.from({ length: count }, () => this.pick(WORDS)).join(' ')
  }
}

/** Few, so that searches find something and slugs collide. */
const WORDS = 'cache stale fresh proof margin ink column letter Press étude ß Zebra apple'.split(' ')
