import type { GraphQLError, ResponsePath } from 'graphql'

/** The errors of an answer. An error below a place that is null already is left out. */
export class FieldErrors {
  readonly list: GraphQLError[] = []
  readonly #places = new Set<ResponsePath | undefined>()

  add(error: GraphQLError, path: ResponsePath | undefined): void {
    for (let place = path; place; place = place.prev) if (this.#places.has(place)) return
    if (this.#places.has(undefined)) return
    this.#places.add(path)
    this.list.push(error)
  }

  /** Everything is null from now on: further errors are left out. */
  end(): void {
    this.#places.add(undefined)
  }

  /** Adds those of another part of the answer. */
  take({ list }: FieldErrors): void {
    this.list.push(...list)
  }
}
