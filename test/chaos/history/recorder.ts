import type { Event } from './history.ts'

/** Writes down what happens, in the order in which it is over. */
export class Recorder {
  readonly events: Event[] = []

  get size(): number {
    return this.events.length
  }

  record(event: Event): void {
    this.events.push(event)
  }

  note(what: string): void {
    this.record({ is: 'fault', what, atMs: Date.now() })
  }
}
